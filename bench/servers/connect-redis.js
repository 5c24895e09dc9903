// connect-redis with a serializer that encrypts by AES-256-GCM.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const key = createHash("sha256").update(secret).digest();

const serializer = {
  stringify(data) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const content = [cipher.update(JSON.stringify(data), "utf8"), cipher.final()];
    return Buffer.concat([nonce, cipher.getAuthTag(), ...content]).toString("base64");
  },
  parse(text) {
    const sealed = Buffer.from(text, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return JSON.parse(
      Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8"),
    );
  },
};

const client = createClient({ url: process.env.REDIS_URL });
await client.connect();
const store = new RedisStore({ client, prefix: "connect-redis:", ttl: lifeSeconds, serializer });

arcgisApp(session({ secret, store, resave: false, saveUninitialized: false })).listen(0, "127.0.0.1");
