import { readFileSync } from "node:fs";
import { arcgisAuth, authErrorHandler, requireSignIn } from "arcgis-sign-in";
import express from "express";

const config = JSON.parse(readFileSync("config.json", "utf8"));
const app = express();

app.use(
  arcgisAuth({
    clientId: config.CLIENT_ID,
    portal: config.PORTAL_URL,
    redirectUri: config.REDIRECT_URI,
    sessionSecret: config.SESSION_SECRET,
    encryptionKey: config.ENCRYPTION_KEY,
  }),
);

app.get("/", (req, res) => {
  const { user, signInUrl, signOutForm } = req.arcgis;
  res.set("Cache-Control", "no-store");
  if (!user) return void res.send(`<p><a href="${signInUrl("/")}">Sign in</a></p>`);
  res.send(`<p>Hello ${inHtml(user.username)}</p> ${signOutForm()}`);
});

app.get("/me", requireSignIn(), async (req, res) => {
  const identity = await req.arcgis.identity();
  const { fullName, role } = await identity.getUser({ request: req.arcgis.request });
  res.set("Cache-Control", "no-store").json({ fullName, role });
});

app.use(authErrorHandler());
app.listen(3000, "127.0.0.1");

function inHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
