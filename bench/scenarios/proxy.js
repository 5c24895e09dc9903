import { get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { signedInUsers } from "../field.js";
import { alternate, settled, usageOf } from "../load.js";

/** What is asked for through the proxies; ArcGIS sends JSON without a length. */
export const resources = [
  { id: "proxy-json-4", path: "/arcgis/rest/json/4096", what: "4 KB of JSON" },
  { id: "proxy-pbf-4", path: "/arcgis/rest/pbf/4096", what: "a tile of 4 KB" },
  { id: "proxy-json-200", path: "/arcgis/rest/json/204800", what: "200 KB of JSON" },
  { id: "proxy-png-200", path: "/arcgis/rest/png/204800", what: "an image of 200 KB" },
];

/**
 * Our /proxy for signed-in users, with their tokens for a federated server, beside http-proxy-middleware that adds the
 * token of a session in memory; then what large responses and slow readers do to the memory.
 */
export async function proxy(field, plan) {
  const service = await field.peer("service");
  field.portal.tell({ federate: `${service.url}/arcgis` });
  const bare = await field.peer("bare-proxy", { UPSTREAM: service.url });
  const peer = await field.peer("http-proxy-middleware", { UPSTREAM: service.url });
  const app = await field.app("proxy", { settings: { PROXY_ALLOW: `${service.url}/arcgis/rest/` } });
  // As from a script of our own page.
  const headers = { "sec-fetch-site": "same-origin" };
  const expect = { status: 200, text: "Trees" };
  const [ours, theirs] = [await signedInUsers(app, plan.users), await signedInUsers(peer, plan.users)];
  // A bare proxy has no session and no token: the request brings one.
  const withToken = { ...headers, "x-esri-authorization": "Bearer of-the-request" };

  const contestants = resources.flatMap(({ id, path, what }) => [
    { id, label: `our /proxy, ${what}`, children: [app], users: ours, headers, path: pathOf(path), expect },
    {
      id: `${id}-peer`,
      label: `http-proxy-middleware, ${what}`,
      children: [peer],
      users: theirs,
      headers,
      path,
      expect,
    },
    {
      id: `${id}-bare`,
      label: `a proxy of Node alone, ${what}`,
      children: [bare],
      headers: withToken,
      path,
      expect,
    },
  ]);
  const results = await alternate(contestants, plan);

  const request = (bytes) => ({
    url: app.url + pathOf(`/arcgis/rest/file/${bytes}`),
    headers: { ...headers, cookie: ours[0].cookie },
  });
  const { largeMegabytes, slowReaders } = plan;
  results.set("proxy-large", {
    label: `our /proxy, ${largeMegabytes} MB in one response`,
    grown: await growth(app, () => read(request(largeMegabytes * 1e6))),
  });
  results.set("proxy-slow", {
    label: `our /proxy, ${slowReaders} responses of 10 MB that the client does not read`,
    grown: await growth(app, () => leaveUnread(request(10e6), slowReaders)),
  });
  for (const child of [app, bare, peer, service]) await child.stop();
  return results;

  function pathOf(path) {
    return `/proxy?${service.url}${path}`;
  }
}

/** By how much a process grows while `work` is under way, at its largest (bytes). */
async function growth(child, work) {
  await settled([child]);
  const { rss: before } = await usageOf([child]);
  let most = before;
  let done = false;
  const end = work().finally(() => {
    done = true;
  });
  while (!done) {
    const { rss } = await usageOf([child]);
    most = Math.max(most, rss);
    await wait(20);
  }
  await end;
  return most - before;
}

async function read({ url, headers }) {
  for await (const _chunk of await begun({ url, headers })) {
    // Nothing is kept here.
  }
}

/** Begins so many downloads at once, reads nothing of them for a while, and goes. */
async function leaveUnread(request, count) {
  const responses = await Promise.all(Array.from({ length: count }, () => begun(request)));
  await wait(2_000);
  for (const response of responses) response.destroy();
}

function begun({ url, headers }) {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false });
    request.once("error", reject);
    request.once("response", (response) => {
      if (response.statusCode !== 200) return reject(new Error(`/proxy sent ${response.statusCode}`));
      response.on("error", () => {}); // by our own destroy()
      resolve(response);
    });
  });
}
