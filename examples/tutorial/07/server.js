import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";
import session from "express-session";
import { flowCookie } from "./flow.js";
import { authorizeUrl, exchangeCode } from "./portal.js";
import { sealing } from "./seal.js";
import { SealedFiles } from "./sealed-files.js";

const config = JSON.parse(readFileSync("config.json", "utf8"));
const oauth = {
  portal: config.PORTAL_URL,
  clientId: config.CLIENT_ID,
  redirectUri: config.REDIRECT_URI,
};
const seals = sealing(config.ENCRYPTION_KEY);
const flows = flowCookie(seals);
const app = express();

app.use(
  session({
    name: "sid",
    secret: config.SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    store: new SealedFiles("sessions", seals),
    cookie: { httpOnly: true, sameSite: "lax", maxAge: 14 * 24 * 60 * 60_000 },
  }),
);

app.get("/", (req, res) => {
  const identity = identityIn(req);
  res.set("Cache-Control", "no-store");
  if (!identity) return void res.send('<p><a href="/sign-in">Sign in</a></p>');
  res.send(`<p>Hello ${inHtml(identity.username)}</p>`);
});

app.get("/sign-in", (req, res) => {
  const location = authorizeUrl(oauth, flows.start(res));
  res.status(302).set({ Location: location, "Cache-Control": "no-store" }).end();
});

app.get("/authenticate", async (req, res) => {
  const { code } = req.query;
  const flow = flows.finish(req, res);
  if (!flow) return void res.status(400).type("text").send("This sign-in was not started here.");
  if (typeof code !== "string") return void res.status(403).type("text").send("You did not sign in.");
  const identity = await exchangeCode(oauth, { code, codeVerifier: flow.codeVerifier });
  await promisify(req.session.regenerate.bind(req.session))();
  req.session.identity = identity.serialize();
  res.status(303).set({ Location: "/", "Cache-Control": "no-store" }).end();
});

app.listen(3000, "127.0.0.1");

function identityIn({ session: { identity } }) {
  return identity && ArcGISIdentityManager.deserialize(identity);
}

function inHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
