import { readFileSync } from "node:fs";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";
import { flowCookie } from "./flow.js";

const config = JSON.parse(readFileSync("config.json", "utf8"));
const oauth = {
  portal: config.PORTAL_URL,
  clientId: config.CLIENT_ID,
  redirectUri: config.REDIRECT_URI,
};
const flows = flowCookie();
const app = express();

app.get("/sign-in", (req, res) => {
  const params = new URLSearchParams({
    client_id: oauth.clientId,
    redirect_uri: oauth.redirectUri,
    response_type: "code",
    expiration: 20160, // minutes: the refresh token lives for two weeks
    ...flows.start(res),
  });
  const location = `${oauth.portal}/oauth2/authorize?${params}`;
  res.status(302).set({ Location: location, "Cache-Control": "no-store" }).end();
});

app.get("/authenticate", async (req, res) => {
  const { code } = req.query;
  const isOurs = flows.finish(req, res);
  if (!isOurs) return void res.status(400).type("text").send("This sign-in was not started here.");
  if (typeof code !== "string") return void res.status(403).type("text").send("You did not sign in.");
  const identity = await ArcGISIdentityManager.exchangeAuthorizationCode(oauth, code);
  res.type("text").send(`Hello ${identity.username}`);
});

app.listen(3000, "127.0.0.1");
