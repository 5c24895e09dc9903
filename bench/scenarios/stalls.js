import { randomBytes } from "node:crypto";
import { cookieOf } from "../field.js";
import { settled } from "../load.js";

const form = "application/x-www-form-urlencoded";
const pairs = `${"a=b&".repeat(1_000_000)}f=json`;
const spaces = `where=${"+".repeat(4_000_000)}`;
const deep = `where=${"%5B".repeat(1_300_000)}`;

/** Requests that try to keep the server busy: the longest stall of its event loop that any single one causes. */
export async function stalls(field, plan) {
  const service = await field.peer("service");
  field.portal.tell({ federate: `${service.url}/arcgis` });
  const app = await field.app("stalls", { settings: { PROXY_ALLOW: `${service.url}/arcgis/rest/` } });
  const cookie = await cookieOf(app);
  const page = { cookie, "sec-fetch-site": "same-origin" };
  const target = `/proxy?${service.url}/arcgis/rest`;
  const post = (body) => ({ method: "POST", body, headers: { ...page, "content-type": form } });
  const requests = [
    ["16 KB of cookies", "/", { headers: { cookie: `${cookie}; ${"a=b; ".repeat(3_000)}` } }],
    ["15 KB of path", `/${"%61/".repeat(3_700)}`, {}],
    ["15 KB of returnTo", `/sign-in?returnTo=/${"%2525".repeat(2_900)}`, {}],
    ["a forged sign-in cookie", "/authenticate?code=a&state=b", { headers: { cookie: forgedCookies() } }],
    ["4 MB of form pairs", `${target}/json/4096`, post(pairs)],
    ["4 MB of spaces", `${target}/json/4096`, post(spaces)],
    ["4 MB of brackets", `${target}/json/4096`, post(deep)],
    ["1 MB of JSON from a service", `${target}/json/1000000`, { headers: page }],
    ["10 MB from a service", `${target}/file/10000000`, { headers: page }],
  ];
  const results = new Map();
  for (const [what, path, init] of requests) {
    const times = [];
    // The first time compiles the code; the median of the others says what the request costs.
    for (let time = 0; time <= plan.stallRepeats; time++) {
      await settled([app]);
      await app.stall();
      const response = await fetch(app.url + path, { redirect: "manual", ...init }).catch(() => undefined);
      await response?.arrayBuffer().catch(() => {});
      await settled([app]);
      times.push(await app.stall());
    }
    const [, ...warm] = times;
    results.set(`stall-${what}`, { label: `stall: ${what}`, stalls: warm });
    plan.say(`${what}: ${Math.max(...warm).toFixed(1)} ms`);
  }
  for (const child of [app, service]) await child.stop();
  return results;
}

function forgedCookies() {
  const value = randomBytes(180).toString("base64url");
  return Array.from({ length: 50 }, (_, index) => `arcgis.sid.tx.${index}=${value}`).join("; ");
}
