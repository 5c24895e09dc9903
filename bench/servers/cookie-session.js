// cookie-session: everything in the cookie, tokens included, signed but readable.
import cookieSession from "cookie-session";
import { arcgisApp, lifeSeconds, secret } from "./arcgis.js";

arcgisApp(cookieSession({ keys: [secret], maxAge: lifeSeconds * 1000 })).listen(0, "127.0.0.1");
