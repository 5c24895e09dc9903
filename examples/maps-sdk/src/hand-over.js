import esriConfig from "@arcgis/core/config.js";
import Credential from "@arcgis/core/identity/Credential.js";
import esriId from "@arcgis/core/identity/IdentityManager.js";
import ServerInfo from "@arcgis/core/identity/ServerInfo.js";
import { keepCredential } from "./credential.js";
import { showMap } from "./map.js";

// The hand-over: the server gives this page the person's access token, and the Maps SDK talks to ArcGIS itself.

const { layers, portal } = await (await fetch("/maps-sdk/settings.json")).json();

// It would be found out by asking, but for a portal without https that ends in a warning.
esriId.registerServers([
  new ServerInfo({
    server: portal.replace(/\/sharing\/rest$/, ""),
    tokenServiceUrl: `${portal}/generateToken`,
    hasPortal: true,
  }),
]);

const { refresh } = await keepCredential({ register: (credential) => esriId.registerToken(credential) });

// What the SDK does when it wants a token that it does not have: not a dialog, but the next token from our server. Only
// for our portal: a server that has nothing to do with it gets none.
esriId.signIn = async (_url, { server }) => {
  if (!`${portal}/`.startsWith(`${server}/`)) throw new Error(`not signed in at ${server}`);
  const { token, expires, ssl, userId } = await refresh({ refused: true });
  return new Credential({ server, token, expires, ssl, userId });
};

// The portal has ended a token before its time, and the SDK's own second attempt was of no use.
esriConfig.request.interceptors.push({
  error({ details }) {
    if (details?.httpStatus === 498 && details.url?.startsWith(portal))
      refresh({ refused: true }).catch(() => {});
  },
});

await showMap(layers);
