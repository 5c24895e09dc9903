// Our whole session layer, as our app has it, around the peers' page.
import { parseConfig } from "../../dist/app.js";
import { openStore } from "../../dist/session/open-store.js";
import { sessions, startSession } from "../../dist/session/session.js";
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

arcgisApp(sessions(config, store), (req, identity) => startSession(req, { identity })).listen(0, "127.0.0.1");
