import { readFileSync } from "node:fs";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";

const config = JSON.parse(readFileSync("config.json", "utf8"));
const oauth = {
  portal: config.PORTAL_URL,
  clientId: config.CLIENT_ID,
  redirectUri: config.REDIRECT_URI,
};
const app = express();

app.get("/sign-in", (req, res) => {
  res.set("Cache-Control", "no-store");
  ArcGISIdentityManager.authorize(oauth, res);
});

app.get("/authenticate", async (req, res) => {
  const identity = await ArcGISIdentityManager.exchangeAuthorizationCode(oauth, req.query.code);
  res.type("text").send(`Hello ${identity.username}`);
});

app.listen(3000, "127.0.0.1");
