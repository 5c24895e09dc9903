import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openProxy, script } from "./support/proxy.ts";
import { emptyJson, startRawUpstream } from "./support/raw-upstream.ts";
import { type Site, signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

const size = 4 * 1024 * 1024;

/** Counts the bodies of 4 MiB that were held until now: each is kept in memory of this size. */
function counted(t: TestContext): () => number {
  const { mock } = t.mock.method(Buffer, "allocUnsafe");
  return () => mock.calls.filter(({ arguments: [bytes] }) => bytes === size).length;
}

/** How many requests through the proxy have ended. */
const ended = ({ log }: Site) =>
  log.lines.filter(({ path, method }) => path === "/proxy" && method === "POST").length;

test("PX-9 the held bodies of all users take 64 MiB; beyond that one more user's are passed on, until some is free again", async (t) => {
  const upstream = await startRawUpstream(t);
  const { begin, site } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  upstream.respond = () => {};
  const heldBodies = counted(t);
  /** Begins a body of 4 MiB. */
  const upload = async (username: string) => {
    const browser = site.browser();
    await signIn(browser, username);
    return () => {
      const headers = {
        Cookie: [...browser.cookies].map((pair) => pair.join("=")).join("; "),
        "Content-Type": "text/plain",
        "Content-Length": String(size),
      };
      const request = begin(`${upstream.origin}/x`, { method: "POST", headers }).on("error", () => {});
      request.write("x".repeat(1_000));
      return request;
    };
  };
  const users = ["sandy_admin", "pia_publisher", "vik_viewer", "ned_county"];
  const uploads = await Promise.all(users.map(upload));
  const held = uploads.flatMap((begin) => Array.from({ length: 4 }, begin));
  const oneMore = await upload("zoe_editor");
  await until(() => heldBodies() === 16, "64 MiB are held");
  assert.equal(upstream.received(), 0, "and not sent before their end");
  const streamed = oneMore();
  await until(() => upstream.received() > 1_000, "the next one is passed on while it comes");
  streamed.destroy();

  held[0]?.destroy();
  await until(() => ended(site) === 2, "both have ended");
  const again = oneMore();
  await until(() => heldBodies() === 17, "what was given back can be used by another user");
  again.destroy();
});

test("PX-9 one user's held bodies take 16 MiB; beyond that bodies are passed on as they come, and others are not affected", async (t) => {
  const upstream = await startRawUpstream(t);
  const { begin, site } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  const heldBodies = counted(t);
  const half = Buffer.alloc(size / 2, 120);
  const headers = { "Content-Type": "text/plain", "Content-Length": String(size) };
  upstream.respond = () => {};
  const upload = () => {
    const request = begin(`${upstream.origin}/x`, { method: "POST", headers }).on("error", () => {});
    request.write(half);
    return request;
  };
  const held = Array.from({ length: 4 }, upload);
  for (const each of held) each.write(half.subarray(1));
  await until(() => heldBodies() === 4, "16 MiB are held");
  assert.equal(upstream.received(), 0, "a body that is held is not sent before its end");
  const streamed = upload();
  await until(() => upstream.received() > size / 4, "the fifth is passed on while it comes");
  streamed.destroy();

  const before = upstream.received();
  const other = site.browser();
  await signIn(other, "vik_viewer");
  upstream.respond = (_request, socket) => void socket.write(emptyJson);
  const body = "x".repeat(1_000_000);
  const response = await other.send(`/proxy?${upstream.origin}/x`, { method: "POST", body, headers: script });
  assert.equal(response.status, 200);
  assert.ok(upstream.received() > before);

  for (const each of held) each.destroy();
  await until(() => ended(site) === 6, "all have ended");
  const again = upload();
  await until(() => heldBodies() === 5, "what was given back is there again");
  again.destroy();
});
