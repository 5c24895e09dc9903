// session-file-store as it comes: nothing is encrypted.
import session from "express-session";
import sessionFileStore from "session-file-store";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const FileStore = sessionFileStore(session);
const store = new FileStore({ path: "sessions", ttl: lifeSeconds, logFn() {} });

arcgisApp(session({ secret, store, resave: false, saveUninitialized: false })).listen(0, "127.0.0.1");
