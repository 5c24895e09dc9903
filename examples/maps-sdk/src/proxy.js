import esriConfig from "@arcgis/core/config.js";
import { addProxyRule } from "@arcgis/core/core/urlUtils.js";
import { showMap } from "./map.js";

// The proxy: the token stays on the server. The Maps SDK asks our /proxy, which asks ArcGIS.

const { layers } = await (await fetch("/maps-sdk/settings.json")).json();

esriConfig.request.useIdentity = false;
for (const urlPrefix of new Set(layers.map((url) => new URL(url).origin))) {
  addProxyRule({ urlPrefix, proxyUrl: "/proxy" });
}

// The codes of our server's own errors; the SDK has them where ArcGIS's numbers are.
const ended = ["signed_out", "session_ended", "token_rejected"];
esriConfig.request.interceptors.push({
  error({ details }) {
    if (!ended.includes(details?.httpStatus)) return;
    const here = location.pathname + location.search + location.hash;
    location.assign(`/sign-in?returnTo=${encodeURIComponent(here)}`);
  },
});

await showMap(layers);
