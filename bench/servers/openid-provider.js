// The OpenID provider that express-openid-connect signs in at; its own sample pages let anybody in.
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { publicOrigin } from "../visitor.js";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [
      {
        client_id: "bench",
        client_secret: process.env.SECRET,
        redirect_uris: [`${publicOrigin}/callback`],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    pkce: { required: () => false },
    cookies: { keys: [process.env.SECRET] },
  });
  server.on("request", provider.callback());
});
