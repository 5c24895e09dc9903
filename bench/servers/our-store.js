// Our sealed file store under a plain express-session, as somebody uses it who has an app already.
import session from "express-session";
import { fileStore, keyRing, SealedStore } from "../../dist/app.js";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const store = new SealedStore({
  records: fileStore({ path: "sessions", idleSeconds: lifeSeconds }),
  keys: keyRing([process.env.ENCRYPTION_KEY]),
  idleSeconds: lifeSeconds,
  maxSeconds: 2 * lifeSeconds,
});

arcgisApp(session({ secret, store, resave: false, saveUninitialized: false })).listen(0, "127.0.0.1");
