// iron-session: everything in the cookie, sealed.
import { getIronSession } from "iron-session";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

const options = {
  cookieName: "iron",
  password: secret,
  ttl: lifeSeconds,
  cookieOptions: { secure: false },
};

async function ironSession(req, res, next) {
  req.session = await getIronSession(req, res, options);
  next();
}

async function keep(req, identity) {
  req.session.identity = identity.toJSON();
  await req.session.save();
}

arcgisApp(ironSession, keep).listen(0, "127.0.0.1");
