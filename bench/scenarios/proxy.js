import { get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { cookieOf } from "../field.js";
import { alternate, settled, usageOf } from "../load.js";

/** What is asked for through the proxies; of JSON the length is not told beforehand, as ArcGIS has it. */
export const answers = [
  { id: "proxy-json-4", path: "/arcgis/rest/json/4096", what: "4 KB of JSON" },
  { id: "proxy-pbf-4", path: "/arcgis/rest/pbf/4096", what: "a tile of 4 KB" },
  { id: "proxy-json-200", path: "/arcgis/rest/json/204800", what: "200 KB of JSON" },
  { id: "proxy-png-200", path: "/arcgis/rest/png/204800", what: "an image of 200 KB" },
];

/**
 * Our /proxy for somebody who is signed in, with a token for a federated server, beside a reverse proxy of Node
 * alone that knows nobody; then what large answers and slow readers do to the memory.
 */
export async function proxy(field, plan) {
  const service = await field.peer("service");
  field.portal.tell({ federate: `${service.url}/arcgis` });
  const bare = await field.peer("bare-proxy", { UPSTREAM: service.url });
  const app = await field.app("proxy", { settings: { PROXY_ALLOW: `${service.url}/arcgis/rest/` } });
  // As from a script of our own page. The token is for the bare proxy, which has none to add; ours drops it.
  const headers = { "sec-fetch-site": "same-origin", "x-esri-authorization": "Bearer the-visitors-own" };
  const ours = { children: [app], cookie: await cookieOf(app), headers };
  const expect = { status: 200, text: "Trees" };

  const contestants = answers.flatMap(({ id, path, what }) => [
    { ...ours, id, label: `our /proxy, ${what}`, path: pathOf(path), expect },
    { id: `${id}-bare`, label: `a bare reverse proxy, ${what}`, children: [bare], path, headers, expect },
  ]);
  const results = await alternate(contestants, plan);

  const request = (bytes) => ({
    url: app.url + pathOf(`/arcgis/rest/file/${bytes}`),
    headers: { ...headers, cookie: ours.cookie },
  });
  const { largeMegabytes, slowReaders } = plan;
  results.set("proxy-large", {
    label: `our /proxy, ${largeMegabytes} MB in one answer`,
    grown: await growth(app, () => read(request(largeMegabytes * 1e6))),
  });
  results.set("proxy-slow", {
    label: `our /proxy, ${slowReaders} answers of 10 MB that nobody reads`,
    grown: await growth(app, () => leaveUnread(request(10e6), slowReaders)),
  });
  for (const child of [app, bare, service]) await child.stop();
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
  const answers = await Promise.all(Array.from({ length: count }, () => begun(request)));
  await wait(2_000);
  for (const answer of answers) answer.destroy();
}

function begun({ url, headers }) {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false });
    request.once("error", reject);
    request.once("response", (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`/proxy answered ${answer.statusCode}`));
      // Whoever goes before the end is told so.
      answer.on("error", () => {});
      resolve(answer);
    });
  });
}
