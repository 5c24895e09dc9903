// Our whole session layer around the peers' page. As in our app, the page only looks at its session, and the
// sign-in changes it. With WRITABLE the page may change it too.
import { parseConfig } from "../../dist/app.js";
import { openStore } from "../../dist/session/open-store.js";
import { readOnlySessions, sessions, startSession } from "../../dist/session/session.js";
import { redirectUri } from "../visitor.js";
import { arcgisApp, secret } from "./arcgis.js";

const config = parseConfig({
  CLIENT_ID: "bench",
  PORTAL_URL: process.env.PORTAL_URL,
  REDIRECT_URI: redirectUri,
  SESSION_SECRET: secret,
  ENCRYPTION_KEY: process.env.ENCRYPTION_KEY,
});
const store = await openStore(config, console);
const toChange = sessions(config, store);
const toLookAt = process.env.WRITABLE ? toChange : readOnlySessions(config, store);

arcgisApp(
  (req, res, next) => (req.path === "/" ? toLookAt : toChange)(req, res, next),
  (req, identity) => startSession(req, { identity }),
).listen(0, "127.0.0.1");
