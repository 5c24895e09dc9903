// Express that allows everything: the ceiling for forward auth.
import express from "express";

const app = express();
app.get("/auth", (_req, res) => res.status(204).end());
app.listen(0, "127.0.0.1");
