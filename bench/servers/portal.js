// The sandbox portal: everybody signs in there but express-openid-connect.
import { startSandbox } from "../../dist/sandbox/index.js";
import { redirectUri } from "../visitor.js";

const sandbox = await startSandbox({ clients: [{ clientId: "bench", redirectUris: [redirectUri] }] });
// An ArcGIS Server has its port later. See scenarios/proxy.js.
process.on("message", ({ federate }) => {
  if (federate) sandbox.servers.push(federate);
});
