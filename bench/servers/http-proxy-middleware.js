// http-proxy-middleware behind express-session in memory: what an app would use that adds the user's token itself.
import { Agent } from "node:http";
import session from "express-session";
import { createProxyMiddleware } from "http-proxy-middleware";
import { arcgisApp, secret } from "./arcgis.js";

const store = new session.MemoryStore();
const app = arcgisApp(session({ secret, store, resave: false, saveUninitialized: false }));
app.use(
  createProxyMiddleware({
    target: process.env.UPSTREAM,
    changeOrigin: true,
    agent: new Agent({ keepAlive: true }),
    on: {
      proxyReq(outgoing, req) {
        const { identity } = req.session;
        if (identity) outgoing.setHeader("X-Esri-Authorization", `Bearer ${identity.token}`);
        outgoing.removeHeader("cookie");
      },
    },
  }),
);
app.listen(0, "127.0.0.1");
