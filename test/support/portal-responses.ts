import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import type { TestContext } from "node:test";
import { type Browser, crossSite, type TestResponse } from "./browser.ts";
import type { Site } from "./site.ts";
export const head = (...lines: string[]) =>
  ["HTTP/1.1 200 OK", "Connection: close", ...lines, "", ""].join("\r\n");
export const http = (body: string, type = "application/json") =>
  head(`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`) + body;

export const validResponse = {
  access_token: "sound-access-token",
  expires_in: 1800,
  username: "sandy_admin",
  ssl: true,
  refresh_token: "sound-refresh-token",
  refresh_token_expires_in: 1_209_600,
};

/** Listens on a free loopback port until the test is over; gives the port. */
export async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A portal that responds to the token call for the code "0" with the first of these, byte for byte, and so on. */
export async function bluntPortal(t: TestContext, responses: (Buffer | string)[]): Promise<string> {
  const server = createTcpServer((socket) => {
    let request = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      request += chunk;
      const [, code] =
        /[?&]code=(\d+)&.*redirect_uri=|redirect_uri=.*&code=(\d+)&/.exec(request)?.filter(Boolean) ?? [];
      if (code) socket.end(responses[Number(code)] ?? "");
      else if (!request.startsWith("POST /portal/sharing/rest/oauth2/token ")) socket.destroy();
    });
  });
  return `http://127.0.0.1:${await listen(t, server)}/portal`;
}

/** Finishes a sign-in with this code, without a visit to the portal's page; gives the response and the cookies. */
export async function signInWith(
  site: Site,
  code: number,
): Promise<{ response: TestResponse; browser: Browser }> {
  const browser = site.browser();
  const { headers } = await browser.get("/sign-in");
  const state = new URL(String(headers.location)).searchParams.get("state");
  return { response: await browser.get(`/authenticate?code=${code}&state=${state}`, crossSite), browser };
}
