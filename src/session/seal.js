import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
const version = 1;
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + keyIdBytes + nonceBytes;
/**
 * Makes a key ring from `ENCRYPTION_KEY`, newest first. The secrets are long and random (config.ts sees to
 * it), so HKDF is the right derivation and a slow password hash would only cost time on every request.
 */
export function keyRing(secrets) {
    const keys = secrets.map(extract);
    const [newest] = keys;
    if (newest === undefined)
        throw new TypeError("a key ring needs at least one secret");
    const keyOf = new Map(keys.map((key) => [keyId(key), key]));
    const newestId = keyId(newest);
    return {
        seal(text, purpose, context = "") {
            const header = Buffer.concat([
                Buffer.of(version),
                Buffer.from(newestId, "hex"),
                // A fresh key for each context keeps random nonces far below the 2^32 messages of SP 800-38D, 8.3.
                randomBytes(nonceBytes),
            ]);
            const cipher = createCipheriv("aes-256-gcm", keyFor(newest, purpose, context), header.subarray(1 + keyIdBytes));
            cipher.setAAD(boundTo(header, purpose, context));
            const content = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
            return Buffer.concat([header, content, cipher.getAuthTag()]).toString("base64url");
        },
        open(sealed, purpose, context = "") {
            const bytes = Buffer.from(sealed, "base64url");
            const key = keyOf.get(keyIdOf(bytes));
            if (key === undefined || bytes.length < headerBytes + tagBytes)
                return undefined;
            // Node decodes base64 leniently; one text, one seal.
            if (bytes.toString("base64url") !== sealed)
                return undefined;
            const header = bytes.subarray(0, headerBytes);
            const decipher = createDecipheriv("aes-256-gcm", keyFor(key, purpose, context), header.subarray(1 + keyIdBytes), { authTagLength: tagBytes });
            decipher.setAAD(boundTo(header, purpose, context));
            decipher.setAuthTag(bytes.subarray(-tagBytes));
            try {
                const content = decipher.update(bytes.subarray(headerBytes, -tagBytes));
                return Buffer.concat([content, decipher.final()]).toString("utf8");
            }
            catch {
                // `final` throws for one reason: the seal is broken, or it is not for this place.
                return undefined;
            }
        },
        knows: (sealed) => keyOf.has(keyIdOf(Buffer.from(sealed, "base64url"))),
        isNewest: (sealed) => keyIdOf(Buffer.from(sealed, "base64url")) === newestId,
    };
}
/** The key's name in a seal is derived from the key, so nobody has to number keys. It tells nothing of it. */
function keyId(key) {
    return expand(key, "key id").subarray(0, keyIdBytes).toString("hex");
}
function keyIdOf(sealed) {
    return sealed[0] === version ? sealed.subarray(1, 1 + keyIdBytes).toString("hex") : "";
}
function keyFor(key, purpose, context) {
    return expand(key, `${purpose}/v${version}|${context}`);
}
/** What the seal vouches for beside the content: the header, the purpose, the place. */
function boundTo(header, purpose, context) {
    return Buffer.concat([header.subarray(0, 1 + keyIdBytes), Buffer.from(`|${purpose}|${context}`)]);
}
/** The half of HKDF-SHA256 that depends on the secret alone (RFC 5869, 2.2), without a salt: once, at the start. */
function extract(secret) {
    return createHmac("sha256", "").update(secret).digest();
}
/**
 * The other half (2.3): 32 bytes for one labelled use. So short, it is a single HMAC; `hkdfSync` gives the same
 * and takes twenty times as long, twice for each session that is opened.
 */
function expand(key, label) {
    return createHmac("sha256", key).update(label).update(Buffer.of(1)).digest();
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2VhbC5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInNlYWwudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLGNBQWMsRUFBRSxnQkFBZ0IsRUFBRSxVQUFVLEVBQUUsV0FBVyxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBdUJ4RixNQUFNLE9BQU8sR0FBRyxDQUFDLENBQUM7QUFDbEIsTUFBTSxVQUFVLEdBQUcsQ0FBQyxDQUFDO0FBQ3JCLE1BQU0sVUFBVSxHQUFHLEVBQUUsQ0FBQztBQUN0QixNQUFNLFFBQVEsR0FBRyxFQUFFLENBQUM7QUFDcEIsTUFBTSxXQUFXLEdBQUcsQ0FBQyxHQUFHLFVBQVUsR0FBRyxVQUFVLENBQUM7QUFFaEQ7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLE9BQU8sQ0FBQyxPQUEwQjtJQUNoRCxNQUFNLElBQUksR0FBRyxPQUFPLENBQUMsR0FBRyxDQUFDLE9BQU8sQ0FBQyxDQUFDO0lBQ2xDLE1BQU0sQ0FBQyxNQUFNLENBQUMsR0FBRyxJQUFJLENBQUM7SUFDdEIsSUFBSSxNQUFNLEtBQUssU0FBUztRQUFFLE1BQU0sSUFBSSxTQUFTLENBQUMsc0NBQXNDLENBQUMsQ0FBQztJQUV0RixNQUFNLEtBQUssR0FBRyxJQUFJLEdBQUcsQ0FBQyxJQUFJLENBQUMsR0FBRyxDQUFDLENBQUMsR0FBRyxFQUFFLEVBQUUsQ0FBQyxDQUFDLEtBQUssQ0FBQyxHQUFHLENBQUMsRUFBRSxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUM7SUFDNUQsTUFBTSxRQUFRLEdBQUcsS0FBSyxDQUFDLE1BQU0sQ0FBQyxDQUFDO0lBRS9CLE9BQU87UUFDTCxJQUFJLENBQUMsSUFBSSxFQUFFLE9BQU8sRUFBRSxPQUFPLEdBQUcsRUFBRTtZQUM5QixNQUFNLE1BQU0sR0FBRyxNQUFNLENBQUMsTUFBTSxDQUFDO2dCQUMzQixNQUFNLENBQUMsRUFBRSxDQUFDLE9BQU8sQ0FBQztnQkFDbEIsTUFBTSxDQUFDLElBQUksQ0FBQyxRQUFRLEVBQUUsS0FBSyxDQUFDO2dCQUM1QixtR0FBbUc7Z0JBQ25HLFdBQVcsQ0FBQyxVQUFVLENBQUM7YUFDeEIsQ0FBQyxDQUFDO1lBQ0gsTUFBTSxNQUFNLEdBQUcsY0FBYyxDQUMzQixhQUFhLEVBQ2IsTUFBTSxDQUFDLE1BQU0sRUFBRSxPQUFPLEVBQUUsT0FBTyxDQUFDLEVBQ2hDLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxHQUFHLFVBQVUsQ0FBQyxDQUNoQyxDQUFDO1lBQ0YsTUFBTSxDQUFDLE1BQU0sQ0FBQyxPQUFPLENBQUMsTUFBTSxFQUFFLE9BQU8sRUFBRSxPQUFPLENBQUMsQ0FBQyxDQUFDO1lBQ2pELE1BQU0sT0FBTyxHQUFHLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxNQUFNLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxNQUFNLENBQUMsRUFBRSxNQUFNLENBQUMsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDO1lBQzdFLE9BQU8sTUFBTSxDQUFDLE1BQU0sQ0FBQyxDQUFDLE1BQU0sRUFBRSxPQUFPLEVBQUUsTUFBTSxDQUFDLFVBQVUsRUFBRSxDQUFDLENBQUMsQ0FBQyxRQUFRLENBQUMsV0FBVyxDQUFDLENBQUM7UUFDckYsQ0FBQztRQUVELElBQUksQ0FBQyxNQUFNLEVBQUUsT0FBTyxFQUFFLE9BQU8sR0FBRyxFQUFFO1lBQ2hDLE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxJQUFJLENBQUMsTUFBTSxFQUFFLFdBQVcsQ0FBQyxDQUFDO1lBQy9DLE1BQU0sR0FBRyxHQUFHLEtBQUssQ0FBQyxHQUFHLENBQUMsT0FBTyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUM7WUFDdEMsSUFBSSxHQUFHLEtBQUssU0FBUyxJQUFJLEtBQUssQ0FBQyxNQUFNLEdBQUcsV0FBVyxHQUFHLFFBQVE7Z0JBQUUsT0FBTyxTQUFTLENBQUM7WUFDakYscURBQXFEO1lBQ3JELElBQUksS0FBSyxDQUFDLFFBQVEsQ0FBQyxXQUFXLENBQUMsS0FBSyxNQUFNO2dCQUFFLE9BQU8sU0FBUyxDQUFDO1lBQzdELE1BQU0sTUFBTSxHQUFHLEtBQUssQ0FBQyxRQUFRLENBQUMsQ0FBQyxFQUFFLFdBQVcsQ0FBQyxDQUFDO1lBQzlDLE1BQU0sUUFBUSxHQUFHLGdCQUFnQixDQUMvQixhQUFhLEVBQ2IsTUFBTSxDQUFDLEdBQUcsRUFBRSxPQUFPLEVBQUUsT0FBTyxDQUFDLEVBQzdCLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxHQUFHLFVBQVUsQ0FBQyxFQUMvQixFQUFFLGFBQWEsRUFBRSxRQUFRLEVBQUUsQ0FDNUIsQ0FBQztZQUNGLFFBQVEsQ0FBQyxNQUFNLENBQUMsT0FBTyxDQUFDLE1BQU0sRUFBRSxPQUFPLEVBQUUsT0FBTyxDQUFDLENBQUMsQ0FBQztZQUNuRCxRQUFRLENBQUMsVUFBVSxDQUFDLEtBQUssQ0FBQyxRQUFRLENBQUMsQ0FBQyxRQUFRLENBQUMsQ0FBQyxDQUFDO1lBQy9DLElBQUksQ0FBQztnQkFDSCxNQUFNLE9BQU8sR0FBRyxRQUFRLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxRQUFRLENBQUMsV0FBVyxFQUFFLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQztnQkFDeEUsT0FBTyxNQUFNLENBQUMsTUFBTSxDQUFDLENBQUMsT0FBTyxFQUFFLFFBQVEsQ0FBQyxLQUFLLEVBQUUsQ0FBQyxDQUFDLENBQUMsUUFBUSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1lBQ3JFLENBQUM7WUFBQyxNQUFNLENBQUM7Z0JBQ1Asa0ZBQWtGO2dCQUNsRixPQUFPLFNBQVMsQ0FBQztZQUNuQixDQUFDO1FBQ0gsQ0FBQztRQUVELEtBQUssRUFBRSxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsS0FBSyxDQUFDLEdBQUcsQ0FBQyxPQUFPLENBQUMsTUFBTSxDQUFDLElBQUksQ0FBQyxNQUFNLEVBQUUsV0FBVyxDQUFDLENBQUMsQ0FBQztRQUN2RSxRQUFRLEVBQUUsQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLE9BQU8sQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLE1BQU0sRUFBRSxXQUFXLENBQUMsQ0FBQyxLQUFLLFFBQVE7S0FDN0UsQ0FBQztBQUNKLENBQUM7QUFFRCw4R0FBOEc7QUFDOUcsU0FBUyxLQUFLLENBQUMsR0FBVztJQUN4QixPQUFPLE1BQU0sQ0FBQyxHQUFHLEVBQUUsUUFBUSxDQUFDLENBQUMsUUFBUSxDQUFDLENBQUMsRUFBRSxVQUFVLENBQUMsQ0FBQyxRQUFRLENBQUMsS0FBSyxDQUFDLENBQUM7QUFDdkUsQ0FBQztBQUVELFNBQVMsT0FBTyxDQUFDLE1BQWM7SUFDN0IsT0FBTyxNQUFNLENBQUMsQ0FBQyxDQUFDLEtBQUssT0FBTyxDQUFDLENBQUMsQ0FBQyxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUMsRUFBRSxDQUFDLEdBQUcsVUFBVSxDQUFDLENBQUMsUUFBUSxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxFQUFFLENBQUM7QUFDekYsQ0FBQztBQUVELFNBQVMsTUFBTSxDQUFDLEdBQVcsRUFBRSxPQUFnQixFQUFFLE9BQWU7SUFDNUQsT0FBTyxNQUFNLENBQUMsR0FBRyxFQUFFLEdBQUcsT0FBTyxLQUFLLE9BQU8sSUFBSSxPQUFPLEVBQUUsQ0FBQyxDQUFDO0FBQzFELENBQUM7QUFFRCx3RkFBd0Y7QUFDeEYsU0FBUyxPQUFPLENBQUMsTUFBYyxFQUFFLE9BQWdCLEVBQUUsT0FBZTtJQUNoRSxPQUFPLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUMsRUFBRSxDQUFDLEdBQUcsVUFBVSxDQUFDLEVBQUUsTUFBTSxDQUFDLElBQUksQ0FBQyxJQUFJLE9BQU8sSUFBSSxPQUFPLEVBQUUsQ0FBQyxDQUFDLENBQUMsQ0FBQztBQUNwRyxDQUFDO0FBRUQsb0hBQW9IO0FBQ3BILFNBQVMsT0FBTyxDQUFDLE1BQWM7SUFDN0IsT0FBTyxVQUFVLENBQUMsUUFBUSxFQUFFLEVBQUUsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxNQUFNLEVBQUUsQ0FBQztBQUMxRCxDQUFDO0FBRUQ7OztHQUdHO0FBQ0gsU0FBUyxNQUFNLENBQUMsR0FBVyxFQUFFLEtBQWE7SUFDeEMsT0FBTyxVQUFVLENBQUMsUUFBUSxFQUFFLEdBQUcsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQyxNQUFNLENBQUMsTUFBTSxDQUFDLEVBQUUsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDLE1BQU0sRUFBRSxDQUFDO0FBQy9FLENBQUMifQ==