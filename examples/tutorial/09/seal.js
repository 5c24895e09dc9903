import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** `seal` encrypts a text; `open` decrypts it again, for the same purpose only. */
export function sealing(secret) {
  const keyFor = (purpose) => Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));

  function seal(text, purpose) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", keyFor(purpose), nonce);
    const content = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, content, cipher.getAuthTag()]).toString("base64url");
  }

  /** Returns `undefined` if the text was changed, or sealed with another secret or for another purpose. */
  function open(sealed, purpose) {
    const bytes = Buffer.from(sealed, "base64url");
    try {
      const options = { authTagLength: 16 };
      const decipher = createDecipheriv("aes-256-gcm", keyFor(purpose), bytes.subarray(0, 12), options);
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
    } catch {
      return undefined;
    }
  }

  return { seal, open };
}
