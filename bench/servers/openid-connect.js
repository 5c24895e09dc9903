// express-openid-connect: an encrypted cookie with the tokens of an OpenID provider. ArcGIS is none.
import express from "express";
import { auth } from "express-openid-connect";
import { publicOrigin } from "../visitor.js";
import { page } from "./page.js";

const app = express();
app.use(
  auth({
    authRequired: false,
    issuerBaseURL: process.env.ISSUER,
    baseURL: publicOrigin,
    clientID: "bench",
    clientSecret: process.env.SECRET,
    secret: process.env.SECRET,
    authorizationParams: { response_type: "code", scope: "openid" },
  }),
);
app.get("/", (req, res) => res.send(page(req.oidc.user?.sub ?? "no user")));
app.listen(0, "127.0.0.1");
