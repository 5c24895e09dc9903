import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

/**
 * Seals texts so that only this server can read them, and only in the place they were sealed for.
 *
 * AES-256-GCM (NIST SP 800-38D) under a key of its own for each purpose and context (HKDF, RFC 5869):
 * a sealed session copied over another person's session does not open, and a cookie is not a session file.
 * The newest secret seals, every secret opens, so secrets can be replaced without signing anybody out.
 */
export interface KeyRing {
  /** Gives the sealed text in base64url; `context` names the one place where it will open again. */
  seal(text: string, purpose: Purpose, context?: string): string;
  /** Gives the text, or `undefined` when it was not sealed by us, for this place, or was changed since. */
  open(sealed: string, purpose: Purpose, context?: string): string | undefined;
  /** Whether the secret that sealed this is still on the ring; without it the content waits, it is not lost. */
  knows(sealed: string): boolean;
  /** Whether it was the newest secret that sealed this. */
  isNewest(sealed: string): boolean;
}

/** What a key is for. Keys of different purposes have nothing in common. */
export type Purpose = "session" | "seen" | "flow" | "revocation";

const version = 1;
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + keyIdBytes + nonceBytes;

/**
 * Makes a key ring from `ENCRYPTION_KEY`, newest first. The secrets are long and random (config.ts sees to
 * it), so HKDF is the right derivation and a slow password hash would only cost time on every request.
 */
export function keyRing(secrets: readonly string[]): KeyRing {
  const keys = secrets.map(extract);
  const [newest] = keys;
  if (newest === undefined) throw new TypeError("a key ring needs at least one secret");

  const keyOf = new Map(keys.map((key) => [keyId(key), key]));
  const newestId = keyId(newest);

  return {
    seal(text, purpose, context = "") {
      const header = Buffer.concat([
        Buffer.of(version),
        Buffer.from(newestId, "hex"),
        // Random nonces are good for 2^32 messages under one key (SP 800-38D, 8.3). A session has a key of its own.
        // All flow cookies share one: at a hundred sign-ins a second, that is enough for a year.
        randomBytes(nonceBytes),
      ]);
      const cipher = createCipheriv(
        "aes-256-gcm",
        keyFor(newest, purpose, context),
        header.subarray(1 + keyIdBytes),
      );
      cipher.setAAD(boundTo(header, purpose, context));
      const content = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([header, content, cipher.getAuthTag()]).toString("base64url");
    },

    open(sealed, purpose, context = "") {
      const bytes = Buffer.from(sealed, "base64url");
      const key = keyOf.get(keyIdOf(bytes));
      if (key === undefined || bytes.length < headerBytes + tagBytes) return undefined;
      // Node decodes base64 leniently; one text, one seal.
      if (bytes.toString("base64url") !== sealed) return undefined;
      const header = bytes.subarray(0, headerBytes);
      const decipher = createDecipheriv(
        "aes-256-gcm",
        keyFor(key, purpose, context),
        header.subarray(1 + keyIdBytes),
        { authTagLength: tagBytes },
      );
      decipher.setAAD(boundTo(header, purpose, context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      try {
        const content = decipher.update(bytes.subarray(headerBytes, -tagBytes));
        return Buffer.concat([content, decipher.final()]).toString("utf8");
      } catch {
        // `final` throws for one reason: the seal is broken, or it is not for this place.
        return undefined;
      }
    },

    knows: (sealed) => keyOf.has(keyIdOf(Buffer.from(sealed, "base64url"))),
    isNewest: (sealed) => keyIdOf(Buffer.from(sealed, "base64url")) === newestId,
  };
}

/** The key's name in a seal is derived from the key, so nobody has to number keys. It tells nothing of it. */
function keyId(key: Buffer): string {
  return expand(key, "key id").subarray(0, keyIdBytes).toString("hex");
}

function keyIdOf(sealed: Buffer): string {
  return sealed[0] === version ? sealed.subarray(1, 1 + keyIdBytes).toString("hex") : "";
}

function keyFor(key: Buffer, purpose: Purpose, context: string): Buffer {
  return expand(key, `${purpose}/v${version}|${context}`);
}

/** What the seal vouches for beside the content: the header, the purpose, the place. */
function boundTo(header: Buffer, purpose: Purpose, context: string): Buffer {
  return Buffer.concat([header.subarray(0, 1 + keyIdBytes), Buffer.from(`|${purpose}|${context}`)]);
}

/** The half of HKDF-SHA256 that depends on the secret alone (RFC 5869, 2.2), without a salt: once, at the start. */
function extract(secret: string): Buffer {
  return createHmac("sha256", "").update(secret).digest();
}

/**
 * The other half (2.3): 32 bytes for one labelled use. So short, it is a single HMAC; `hkdfSync` gives the same
 * and takes twenty times as long, twice for each session that is opened.
 */
function expand(key: Buffer, label: string): Buffer {
  return createHmac("sha256", key).update(label).update(Buffer.of(1)).digest();
}
