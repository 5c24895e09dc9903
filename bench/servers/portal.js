// The sandbox portal: everybody signs in there but express-openid-connect.
import { startSandbox } from "../../dist/sandbox/portal.js";
import { redirectUri } from "../visitor.js";

await startSandbox({ clients: [{ clientId: "bench", redirectUris: [redirectUri] }] });
