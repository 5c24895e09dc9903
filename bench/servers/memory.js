// express-session with the store it comes with: in memory, lost at a restart.
import session from "express-session";
import { arcgisApp, secret } from "./arcgis.js";

const store = new session.MemoryStore();

arcgisApp(session({ secret, store, resave: false, saveUninitialized: false })).listen(0, "127.0.0.1");
