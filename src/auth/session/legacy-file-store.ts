import { createDecipheriv, scrypt } from "node:crypto";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SessionBackend } from "./file-backend.ts";
import { codeOf, readSmallFile, removeDurably } from "./safe-file.ts";
import { isParts, type Parts, parseJson, serialize } from "./serializer.ts";

export interface LegacyFileStoreOptions {
  /** The folder that session-file-store was given. */
  path: string;
  /** What it was given as `secret`; none when it did not encrypt. */
  secret?: string | readonly string[] | undefined;
  /** A file is there and cannot be taken over. */
  onUnreadable?: ((reason: string) => void) | undefined;
}

/** Sessions of another store, each under the id of its cookie. */
export type LegacySessions = ReturnType<typeof legacyFileStore>;

const maxBytes = 256 * 1024;
const maxFailed = 10_000;
const deriveKey = promisify(scrypt) as (secret: string, salt: Buffer, length: number) => Promise<Buffer>;

/**
 * Reads the files of session-file-store, the store of Esri's tutorial: plain JSON, or, with `secret`, what its package
 * kruptein writes. That package is not used: it blocks for 50 ms per file, and a damaged one makes it throw where
 * no caller can catch it. A text that `ArcGISIdentityManager` or the older `UserSession` serialized counts as an
 * identity.
 *
 * Leave it out once `idleSeconds` have passed: until then, a program that can write to that folder can exchange two
 * users' old files, and without a `secret` write any session.
 */
export function legacyFileStore({ path, secret = [], onUnreadable }: LegacyFileStoreOptions) {
  const folder = resolve(path);
  const secrets = [secret].flat();
  const damaged = secrets.length > 0 ? "it is damaged, or not encrypted with this secret" : "it is damaged";
  /** Their browsers come again and again. */
  const failed = new Set<string>();
  // Session ids are file names here: nothing but what express-session makes ids of.
  const fileOf = (id: string) => (/^[\w-]{1,128}$/.test(id) ? join(folder, `${id}.json`) : undefined);

  function giveUp(id: string, reason: string): void {
    if (failed.size < maxFailed) failed.add(id);
    onUnreadable?.(reason);
  }

  return {
    /** Undefined when there is none, or it is of no use. `lastAccess` (ms since 1970) is not in the future. */
    async read(id: string): Promise<{ parts: Parts; lastAccess: number } | undefined> {
      const path = failed.has(id) ? undefined : fileOf(id);
      const file = path && (await readSmallFile(path, maxBytes));
      if (!file) return undefined;
      const found = await decrypted(parseJson(Buffer.from(file.text, "latin1").toString()), secrets);
      const session = sessionIn(found, file.stats?.mtimeMs ?? 0);
      if (!session) giveUp(id, file.problem ?? damaged);
      return session;
    },

    /** False when it stays: its session would come back after its end. */
    async remove(id: string): Promise<boolean> {
      const path = fileOf(id);
      const problem = path && (await removeDurably(path).then(() => undefined, codeOf));
      if (problem) giveUp(id, problem);
      return !problem;
    },
  };
}

/** Makes a record of a legacy session, once, and removes its old file. Returns whether there is a record now. */
export async function takeOver(
  legacy: LegacySessions,
  id: string,
  to: { name: string; backend: SessionBackend; seal(createdAt: number, parts: Parts): string },
): Promise<boolean> {
  const { name, backend, seal } = to;
  if (!(await legacy.read(id))) return false;
  const { unlock } = await backend.lock(name, 15_000);
  try {
    // Another request, or another process, may have been faster.
    if (await backend.read(name)) return true;
    const found = await legacy.read(id);
    if (!found) return false;
    await backend.create(name, seal(found.lastAccess, found.parts));
    await backend.touch(name, found.lastAccess);
    if (await legacy.remove(id)) return true;
    await backend.take(name);
    return false;
  } finally {
    await unlock();
  }
}

/** Of kruptein 2, by session-file-store's settings: texts hold a byte a character, the others are Buffers as JSON. */
async function decrypted(found: unknown, secrets: readonly string[]): Promise<unknown> {
  const { ct, aad, iv, salt, at } = Object(found) as Record<string, unknown>;
  const isEncrypted = typeof ct === "string" && typeof aad === "string";
  // With a secret, a plain file counts as little as it did for session-file-store: any program can have written it.
  if (!isEncrypted) return secrets.length > 0 ? undefined : found;
  for (const secret of secrets) {
    const key = await deriveKey(secret, bytesOf(salt), 32);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, bytesOf(iv), { authTagLength: 16 });
      decipher.setAuthTag(bytesOf(at)).setAAD(bytesOf(aad));
      const text = Buffer.concat([decipher.update(ct, "latin1"), decipher.final()]).toString("utf8");
      // What the encoder returned is a text, and was made JSON once more.
      return JSON.parse(JSON.parse(text));
    } catch {
      // Another secret, or damaged.
    }
  }
  return undefined;
}

function bytesOf(value: unknown): Buffer {
  const { data } = Object(value) as { data?: number[] };
  return typeof value === "string"
    ? Buffer.from(value, "latin1")
    : Buffer.from(Array.isArray(data) ? data : []);
}

function sessionIn(found: unknown, writtenAt: number) {
  const { __lastAccess: lastAccess, ...session } = Object(found) as Record<string, unknown>;
  if (Object(session.cookie) !== session.cookie) return undefined;
  const parts = serialize(
    Object.fromEntries(Object.entries(session).map(([name, value]) => [name, identityIn(value) ?? value])),
  );
  if (!isParts(parts)) return undefined;
  return { parts, lastAccess: Math.min(typeof lastAccess === "number" ? lastAccess : writtenAt, Date.now()) };
}

/** What `serialize()` of an `ArcGISIdentityManager` or a `UserSession` wrote. */
function identityIn(value: unknown): ArcGISIdentityManager | undefined {
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  const { portal, token, refreshToken } = Object(parseJson(value));
  const isIdentity =
    typeof portal === "string" && [token, refreshToken].some((one) => typeof one === "string");
  return isIdentity ? ArcGISIdentityManager.deserialize(value) : undefined;
}
