// The sandbox portal: everybody signs in there but express-openid-connect.
import { startSandbox } from "../../dist/sandbox/index.js";
import { redirectUri, usernames } from "../visitor.js";

const clients = [{ clientId: "bench", redirectUris: [redirectUri] }];
const sandbox = await startSandbox({ clients, users: usernames.map((username) => ({ username })) });
// An ArcGIS Server has its port later. See scenarios/proxy.js.
process.on("message", ({ federate }) => {
  if (federate) sandbox.servers.push(federate);
});
