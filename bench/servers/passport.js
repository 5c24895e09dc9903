// passport over express-session in memory. Its strategy signs in at ArcGIS as the other peers do.
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";
import session from "express-session";
import passport from "passport";
import { oauth, secret } from "./arcgis.js";
import { page } from "./page.js";

class ArcGISStrategy extends passport.Strategy {
  name = "arcgis";

  async authenticate(req) {
    if (!req.query.code) return ArcGISIdentityManager.authorize(oauth, req.res);
    try {
      this.success(await ArcGISIdentityManager.exchangeAuthorizationCode(oauth, req.query.code));
    } catch (error) {
      this.error(error);
    }
  }
}

passport.use(new ArcGISStrategy());
passport.serializeUser((identity, done) => done(null, identity.toJSON()));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret, store: new session.MemoryStore(), resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get("/", (req, res) => res.send(page(req.user?.username ?? "no user")));
app.get("/sign-in", passport.authenticate("arcgis"));
app.get("/authenticate", passport.authenticate("arcgis"), (_req, res) => res.redirect("/"));
app.listen(0, "127.0.0.1");
