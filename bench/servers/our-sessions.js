// Our library around the peers' page. As in our app, the page only reads the session. With WRITABLE the sign-in is in an
// express-session that the page may change.
import express from "express";
import session from "express-session";
import { arcgisAuth } from "../../dist/index.js";
import { redirectUri } from "../visitor.js";
import { oauth, secret } from "./arcgis.js";
import { page } from "./page.js";

const shareSession = process.env.WRITABLE === "1";
const auth = arcgisAuth({
  clientId: oauth.clientId,
  portal: oauth.portal,
  redirectUri,
  sessionSecret: secret,
  encryptionKey: process.env.ENCRYPTION_KEY,
  shareSession,
});
const home = (req, res) => res.send(page(req.arcgis.user?.username ?? "no user"));

const app = express();
if (shareSession) app.use(session(auth.sessionOptions));
else app.get("/", auth.readOnly, home);
app.use(auth);
app.get("/", home);
app.listen(0, "127.0.0.1");
