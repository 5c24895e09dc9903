import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

export type KeyRing = ReturnType<typeof keyRing>;
export type Purpose = "session" | "transaction" | "revocation";

const version = 1;
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + keyIdBytes + nonceBytes;

/**
 * Seals texts so that only this server can read them, and only in the place they were sealed for: AES-256-GCM (NIST
 * SP 800-38D) under a key of its own for each purpose and context (HKDF, RFC 5869). The newest secret seals, every
 * secret opens. The secrets are long and random, so no slow password hash is needed. Random nonces are good for 2^32
 * seals under one key: a session has a key of its own, and all transaction cookies share one.
 * @throws TypeError for a secret that is too short, and when there is none
 */
export function keyRing(secrets: readonly string[]) {
  if (secrets.some((secret) => typeof secret !== "string" || secret.length < 32))
    throw new TypeError("each key needs 32 or more random characters");
  const keys = secrets.map((secret) => createHmac("sha256", "").update(secret).digest());
  const [newest] = keys;
  if (newest === undefined) throw new TypeError("a key ring needs at least one secret");
  const keyById = new Map(keys.map((key) => [keyId(key), key]));
  const newestId = keyId(newest);

  return {
    /** The sealed text in base64url. `context` names the one place where it opens again. */
    seal(text: string, purpose: Purpose, context = ""): string {
      const nonce = randomBytes(nonceBytes);
      const header = Buffer.concat([Buffer.of(version), Buffer.from(newestId, "hex"), nonce]);
      const cipher = createCipheriv("aes-256-gcm", expand(newest, label(purpose, context)), nonce);
      cipher.setAAD(associatedData(header, purpose, context));
      const content = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([header, content, cipher.getAuthTag()]).toString("base64url");
    },

    /** The text, or `undefined` when it was not sealed by us, for this place, or was changed. */
    open(sealed: string, purpose: Purpose, context = ""): string | undefined {
      const key = keyById.get(keyIdOf(sealed));
      const bytes = Buffer.from(key ? sealed : "", "base64url");
      if (!key || bytes.length < headerBytes + tagBytes) return undefined;
      // Node decodes base64 leniently; one text, one seal.
      if (bytes.toString("base64url") !== sealed) return undefined;
      const nonce = bytes.subarray(1 + keyIdBytes, headerBytes);
      const decipher = createDecipheriv("aes-256-gcm", expand(key, label(purpose, context)), nonce, {
        authTagLength: tagBytes,
      });
      decipher.setAAD(associatedData(bytes, purpose, context)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const content = decipher.update(bytes.subarray(headerBytes, -tagBytes));
        return Buffer.concat([content, decipher.final()]).toString("utf8");
      } catch {
        // `final` throws for one reason: the seal is broken, or it is not for this place.
        return undefined;
      }
    },

    /** Whether the secret that sealed this is on the ring. */
    keyOf(sealed: string): "newest" | "older" | undefined {
      const id = keyIdOf(sealed);
      return keyById.has(id) ? (id === newestId ? "newest" : "older") : undefined;
    },
  };
}

function label(purpose: Purpose, context: string): string {
  return `${purpose}/v${version}|${context}`;
}

/** What the seal vouches for beside the content: version and key, purpose, place. */
function associatedData(header: Buffer, purpose: Purpose, context: string): Buffer {
  return Buffer.concat([header.subarray(0, 1 + keyIdBytes), Buffer.from(`|${purpose}|${context}`)]);
}

/** Derived from the key, so keys need no numbers. It reveals nothing of the key. */
function keyId(key: Buffer): string {
  return expand(key, "key id").toString("hex", 0, keyIdBytes);
}

function keyIdOf(sealed: string): string {
  const header = Buffer.from(sealed.slice(0, 12), "base64url");
  return header[0] === version ? header.toString("hex", 1, 1 + keyIdBytes) : "";
}

/** HKDF-Expand for 32 bytes is a single HMAC; `hkdfSync` takes twenty times as long. */
function expand(key: Buffer, label: string): Buffer {
  return createHmac("sha256", key).update(label).update(Buffer.of(1)).digest();
}
