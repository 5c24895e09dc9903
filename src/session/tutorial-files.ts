import { createDecipheriv, scrypt } from "node:crypto";
import { lstatSync } from "node:fs";
import { readdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { codeOf, readSmallFile } from "./safe-file.ts";
import { recordName } from "./sealed-record.ts";
import { type Content, parseContent } from "./session-content.ts";

export interface TutorialFilesOptions {
  path: string;
  /** What session-file-store was given as `secret`; none when it did not encrypt. */
  secret?: string | readonly string[];
  warn: (message: string, details: object) => void;
}

/** A session as session-file-store has kept it. */
export interface TutorialSession extends Pick<Content, "data" | "identities"> {
  /** ms since 1970, and not in the future. */
  lastUsed: number;
}

/** Session ids become file names here: nothing but what express-session makes ids of. */
const soundId = /^[\w-]{1,128}$/;
const extension = ".json";
const largestFile = 256 * 1024;
const keyBytes = 32;
const tagBytes = 16;
const mostFailures = 10_000;

const deriveKey = promisify(scrypt) as (secret: string, salt: Buffer, length: number) => Promise<Buffer>;

/**
 * Reads the files of session-file-store: plain JSON, or, with `secret`, what its package kruptein writes. That
 * package is not used for it: it derives its key on the main thread, 50 ms each time, and a damaged file makes it throw
 * where nobody can catch it.
 *
 * A text in which `ArcGISIdentityManager` or the older `UserSession` was serialized, as the encoder of Esri's tutorial
 * does it, counts as an identity.
 */
export function tutorialFiles({ path, secret = [], warn }: TutorialFilesOptions) {
  const folder = resolve(path);
  const secrets = [secret].flat() as readonly string[];
  /** Files that were no use: their browsers come again and again. */
  const failed = new Set<string>();
  const fileOf = (id: string) => join(folder, id + extension);

  async function read(id: string): Promise<TutorialSession | undefined> {
    try {
      const file = await readSmallFile(fileOf(id), largestFile);
      if (!file) return undefined;
      if (!("text" in file)) throw new Error(file.unusable);
      const text = Buffer.from(file.text, "latin1").toString("utf8");
      return sessionIn(await decrypted(parsed(text), secrets), file.stats.mtimeMs);
    } catch (error) {
      giveUp(id, error as NodeJS.ErrnoException);
      return undefined;
    }
  }

  /** Leaves a file alone from now on; one that is not there is no trouble. */
  function giveUp(id: string, { code, message: reason }: NodeJS.ErrnoException): void {
    if (code === "ENOENT") return;
    if (failed.size < mostFailures) failed.add(id);
    const record = recordName(id).slice(0, 8);
    // The system's messages name the file, and its name is a session id.
    warn("an old session could not be taken over", { record, reason: code ?? reason });
  }

  return {
    read,
    /** Removes a file that was read. Gives false when it stays: its session would come back after its end. */
    async discard(id: string): Promise<boolean> {
      const isGone = unlink(fileOf(id)).catch(unless("ENOENT"));
      return isGone.then(
        () => true,
        (error) => {
          giveUp(id, error);
          return false;
        },
      );
    },
    /** Whether there is a file that is worth reading. */
    async has(id: string): Promise<boolean> {
      return (
        soundId.test(id) && !failed.has(id) && lstatSync(fileOf(id), { throwIfNoEntry: false }) !== undefined
      );
    },
    async remove(id: string): Promise<void> {
      if (!soundId.test(id)) return;
      // What was no use, and what could not be removed before, is nobody's session.
      await unlink(fileOf(id)).catch(failed.has(id) ? () => {} : unless("ENOENT", "EISDIR", "EPERM"));
    },
    async clear(): Promise<void> {
      const files = (await readdir(folder).catch(unless("ENOENT"))) ?? [];
      const ids = files
        .filter((file) => file.endsWith(extension))
        .map((file) => file.slice(0, -extension.length));
      for (const id of ids) await unlink(fileOf(id)).catch(unless("ENOENT", "EISDIR", "EPERM"));
    },
  };
}

/** A `catch` that ignores these error codes and rethrows all others. */
function unless(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(codeOf(error))) throw error;
    return undefined;
  };
}

/** Unlike those of JSON.parse, its error holds nothing of the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("it is damaged");
  }
}

/** What kruptein 2 writes by session-file-store's settings. Texts hold a byte a character; the others are Buffers as JSON. */
interface Encrypted {
  ct: string;
  aad: string;
  iv: unknown;
  salt: unknown;
  at: unknown;
}

/**
 * Gives the session, decrypted if there are secrets. With them, a file that anybody can have written counts as little as
 * it did for session-file-store.
 *
 * @throws Error when no secret opens it
 */
async function decrypted(found: unknown, secrets: readonly string[]): Promise<unknown> {
  const { ct, aad, iv, salt, at } = Object(found) as Encrypted;
  const isEncrypted = typeof ct === "string" && typeof aad === "string";
  if (!isEncrypted && secrets.length > 0) throw new Error("it is not encrypted, and a secret was given");
  if (!isEncrypted) return found;
  if (secrets.length === 0) throw new Error("it is encrypted: its secret is missing");
  for (const secret of secrets) {
    const key = await deriveKey(secret, bytesOf(salt), keyBytes);
    try {
      const cipher = createDecipheriv("aes-256-gcm", key, bytesOf(iv), { authTagLength: tagBytes });
      cipher.setAuthTag(bytesOf(at));
      cipher.setAAD(Buffer.from(aad, "latin1"));
      const text = Buffer.concat([cipher.update(ct, "latin1"), cipher.final()]).toString("utf8");
      // What the encoder gave is a text, and was made JSON once more.
      return JSON.parse(JSON.parse(text));
    } catch {
      // Another secret, or damaged.
    }
  }
  throw new Error("it is damaged, or encrypted with another secret");
}

function bytesOf(value: unknown): Buffer {
  const { type, data } = Object(value) as { type?: unknown; data?: unknown };
  const isBuffer = type === "Buffer" && Array.isArray(data);
  if (!isBuffer && typeof value !== "string") throw new Error("it is damaged");
  return typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(data as number[]);
}

/** @throws Error when it is no session */
function sessionIn(found: unknown, writtenAt: number): TutorialSession {
  const { __lastAccess: lastAccess, ...session } = Object(found) as Record<string, unknown>;
  const entries = Object.entries(session);
  const identities = entries.filter(([, value]) => isSerialized(value)) as [string, string][];
  const content = parseContent(
    JSON.stringify({
      createdAt: 0,
      data: Object.fromEntries(entries.filter(([, value]) => !isSerialized(value))),
      identities: Object.fromEntries(
        identities.map(([property, text]) => [property, ArcGISIdentityManager.deserialize(text).serialize()]),
      ),
    }),
  );
  if (!content) throw new Error("it holds no session");
  const lastUsed = typeof lastAccess === "number" ? lastAccess : writtenAt;
  return { data: content.data, identities: content.identities, lastUsed: Math.min(lastUsed, Date.now()) };
}

/** Whether `serialize()` of an `ArcGISIdentityManager` or a `UserSession` wrote this. */
function isSerialized(value: unknown): boolean {
  if (typeof value !== "string" || !value.startsWith("{")) return false;
  try {
    const { portal, token, refreshToken } = Object(JSON.parse(value));
    return typeof portal === "string" && [token, refreshToken].some((each) => typeof each === "string");
  } catch {
    return false;
  }
}
