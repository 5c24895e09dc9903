import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser, click, crossSite } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { spawnCli } from "./support/cli.ts";
import { assertErrorPage } from "./support/expect.ts";
import { forwardProxy } from "./support/forward-proxy.ts";
import { casesOf } from "./support/rounds.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { choose } from "./support/sign-in.ts";
import { folder } from "./support/temporary.ts";
import { tlsProxy } from "./support/tls-proxy.ts";
import { startUpstream } from "./support/upstream.ts";
import { until } from "./support/user.ts";

const { installedNodes }: { installedNodes(): string[] } = await import(
  pathToFileURL(join(import.meta.dirname, "../scripts/nodes.js")).href
);

/** The versions of Node on this machine whose http(s) goes through HTTPS_PROXY. */
const nodes = [process.execPath, ...installedNodes()].filter((node) => {
  const script = "process.exit(process.allowedNodeEnvironmentFlags.has('--use-env-proxy') ? 0 : 1)";
  try {
    execFileSync(node, ["-e", script]);
    return true;
  } catch {
    return false;
  }
});
const skip =
  nodes.length === 0 && "no Node.js here has NODE_USE_ENV_PROXY: 22.21, 24.5 or later (npm run nodes)";

/** A portal and a GIS server that can be reached through the proxy only, and a server that is on its list of exceptions. */
async function network(t: TestContext) {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const upstream = await startUpstream(t);
  const proxy = await forwardProxy(t);
  const certificates: string[] = [];
  const open = async (host: string, target: string) => {
    const certificate = selfSigned({ host });
    certificates.push(certificate.cert);
    const front = await tlsProxy(t, certificate);
    front.target = target;
    const { port } = new URL(front.url);
    proxy.ports.set(`${host}:443`, Number(port));
    return port;
  };
  await open("gis.example.com", sandbox.origin);
  await open("services.example.com", upstream.origin);
  const near = `https://localhost:${await open("localhost", upstream.origin)}`;
  const file = join(folder(t), "authorities.pem");
  writeFileSync(file, certificates.join(""));
  const settings = {
    ...sharedSettings(t, "https://gis.example.com/portal"),
    PROXY_ALLOW: `https://services.example.com/,${near}/`,
  };
  const env = {
    ...{ HTTPS_PROXY: proxy.url, NO_PROXY: "localhost,127.0.0.1", NODE_EXTRA_CA_CERTS: file },
    NODE_USE_ENV_PROXY: "1",
  };
  return { sandbox, upstream, proxy, near, settings, env };
}

type Network = Awaited<ReturnType<typeof network>>;

async function signInAt(url: string, { sandbox }: Network) {
  const browser = new Browser(url);
  const { headers } = await browser.get("/sign-in", click);
  const location = String(headers.location);
  assert.ok(location.startsWith("https://gis.example.com/portal/"), location);
  const callback = await choose(location.replace("https://gis.example.com", sandbox.origin), {
    username: "sandy_admin",
  });
  const { pathname, search } = new URL(callback);
  return { browser, response: await browser.get(pathname + search, crossSite) };
}

describe("behind a forward proxy, with NODE_USE_ENV_PROXY=1", { skip }, () => {
  for (const node of casesOf(nodes, 1)) {
    const version = execFileSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();

    test(`Node ${version}: the sign-in, /proxy, the sign-out and the doctor go through it, but not to NO_PROXY`, async (t) => {
      const net = await network(t);
      const { proxy, upstream, near, settings, env } = net;
      const { url } = await startServer(t, { ...settings, ...env }, undefined, node);
      const { browser, response } = await signInAt(url, net);
      assert.equal(response.status, 303, response.body);
      assert.deepEqual(new Set(proxy.asked), new Set(["gis.example.com:443"]));

      proxy.asked.length = 0;
      const headers = { ...click, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" };
      const self = "https://gis.example.com/portal/sharing/rest/community/self?f=json";
      const { body } = await browser.get(`/proxy?${self}`, headers);
      assert.equal(JSON.parse(body).username, "sandy_admin");
      assert.deepEqual(proxy.asked, ["gis.example.com:443"]);
      await browser.get(`/proxy?${self}`, headers);
      assert.equal(proxy.asked.length, 1, "the connection is kept");

      for (const target of ["https://services.example.com", near]) {
        const seen = upstream.seen.length;
        const form = {
          method: "POST",
          headers: { ...headers, Origin: url },
          form: { a: "b".repeat(200_000) },
        };
        assert.equal((await browser.send(`/proxy?${target}/x`, form)).status, 200, target);
        assert.equal(upstream.seen[seen + 1]?.body ?? upstream.seen[seen]?.body, `a=${"b".repeat(200_000)}`);
      }
      assert.ok(proxy.asked.includes("services.example.com:443"));
      assert.ok(!proxy.asked.some((place) => place.startsWith("localhost")), String(proxy.asked));

      await browser.get("/sign-out", click);
      const revoked = () => net.sandbox.log.some(({ endpoint }) => endpoint === "revokeToken");
      await until(revoked, "the token is revoked");
      proxy.asked.length = 0;
      const doctor = await spawnCli(["doctor"], { cwd: folder(t), env: { ...settings, ...env }, node });
      assert.match(doctor.output, /^ok +forward proxy +HTTPS_PROXY is used, except for NO_PROXY$/m);
      assert.match(doctor.output, /^ok +portal +https:\/\/gis\.example\.com\//m);
      assert.match(doctor.output, /^ok +portal's certificate +is trusted/m);
      assert.match(doctor.output, /^ok +redirect URI /m);
      assert.deepEqual(new Set(proxy.asked), new Set(["gis.example.com:443"]));
    });
  }

  test("a proxy that refuses, or is away, is a portal that cannot be reached, and the doctor says which", async (t) => {
    const node = String(nodes.at(-1));
    const net = await network(t);
    const { proxy, settings } = net;
    const env = { ...settings, ...net.env };
    const { url } = await startServer(t, env, undefined, node);
    proxy.ports.clear();
    assertErrorPage((await signInAt(url, net)).response, "portal_unreachable");
    const examine = async (trouble: RegExp, HTTPS_PROXY: string) => {
      const { output } = await spawnCli(["doctor"], { cwd: folder(t), env: { ...env, HTTPS_PROXY }, node });
      assert.match(output, trouble);
      assert.doesNotMatch(output, /pass|word/, "no password");
    };
    const refusal =
      /^PROBLEM +portal +the forward proxy does not connect to gis\.example\.com\. Correct HTTPS_PROXY/m;
    await examine(refusal, proxy.url);
    await examine(refusal, proxy.url.replace("server", "other"));
    const away = /^PROBLEM +portal +the forward proxy at port 1 is away \(ECONNREFUSED\)\. Correct/m;
    await examine(away, proxy.url.replace(/\d+$/, "1"));
    const unknown =
      /^PROBLEM +portal +the forward proxy proxy\.invalid is away \((?:ENOTFOUND|EAI_AGAIN)\)\. Correct/m;
    await examine(unknown, "http://proxy.invalid:8080");
  });
});

test("without NODE_USE_ENV_PROXY the portal cannot be reached through it, and the doctor says what to set", async (t) => {
  const net = await network(t);
  const { url } = await startServer(t, { ...net.settings, ...net.env, NODE_USE_ENV_PROXY: "" });
  assertErrorPage((await signInAt(url, net)).response, "portal_unreachable");
  assert.deepEqual(net.proxy.asked, []);
});
