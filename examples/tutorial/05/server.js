import { readFileSync } from "node:fs";
import express from "express";
import { flowCookie } from "./flow.js";
import { authorizeUrl, exchangeCode } from "./portal.js";
import { sealing } from "./seal.js";

const config = JSON.parse(readFileSync("config.json", "utf8"));
const oauth = {
  portal: config.PORTAL_URL,
  clientId: config.CLIENT_ID,
  redirectUri: config.REDIRECT_URI,
};
const seals = sealing(config.ENCRYPTION_KEY);
const flows = flowCookie(seals);
const app = express();

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
  res.type("text").send(`Hello ${identity.username}`);
});

app.listen(3000, "127.0.0.1");
