// Express without a session: the ceiling for everything that is built on it.
import express from "express";
import { page } from "./page.js";

const app = express();
app.get("/", (_req, res) => res.send(page("no user")));
app.listen(0, "127.0.0.1");
