// The sandbox portal: everybody signs in there but express-openid-connect.
import { startSandbox } from "../../dist/sandbox/portal.js";
import { redirectUri } from "../visitor.js";

const sandbox = await startSandbox({ clients: [{ clientId: "bench", redirectUris: [redirectUri] }] });
// Servers get their ports later: whichever asks is federated with this portal.
sandbox.servers.includes = () => true;
