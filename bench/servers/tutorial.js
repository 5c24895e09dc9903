// The way of Esri's tutorial: session-file-store encrypts with its own `secret`, and an encoder and a decoder
// serialize the identity manager. Written from its description.
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const FileStore = sessionFileStore(session);
const store = new FileStore({
  path: "sessions",
  ttl: lifeSeconds,
  retries: 1,
  secret,
  logFn() {},
  encoder: (data) => JSON.stringify({ ...data, identity: data.identity?.serialize() }),
  decoder(text) {
    const data = JSON.parse(text);
    // With a `secret` the store encodes twice, and calls this a second time with what the first call gave.
    if (typeof data === "string") return data;
    return { ...data, identity: data.identity && ArcGISIdentityManager.deserialize(data.identity) };
  },
});

arcgisApp(
  session({ secret, store, resave: false, saveUninitialized: false, cookie: { maxAge: lifeSeconds * 1000 } }),
).listen(0, "127.0.0.1");
