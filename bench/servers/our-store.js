// Our sealed file store under a plain express-session, as in an app that already has its own sign-in.
import session from "express-session";
import { fileBackend, SealedStore } from "../../dist/session-store.js";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const store = new SealedStore({
  backend: fileBackend("sessions"),
  encryptionKey: process.env.ENCRYPTION_KEY,
  idleSeconds: lifeSeconds,
  maxSeconds: 2 * lifeSeconds,
});

arcgisApp(session({ secret, store, resave: false, saveUninitialized: false })).listen(0, "127.0.0.1");
