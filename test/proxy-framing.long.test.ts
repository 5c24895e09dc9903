import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openProxy, script } from "./support/proxy.ts";
import { emptyJson, startRawUpstream } from "./support/raw-upstream.ts";
import { signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

test("PX-9 the held bodies of all users take 64 MiB; beyond that one more user's are passed on, until some is free again", async (t) => {
  const upstream = await startRawUpstream(t);
  const { begin, site } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  upstream.respond = () => {};
  const size = 4 * 1024 * 1024;
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
  await sleep(300);
  assert.equal(upstream.received(), 0, "64 MiB are held");
  const streamed = oneMore();
  await until(() => upstream.received() > 1_000, "the next one is passed on while it comes");
  streamed.destroy();

  held[0]?.destroy();
  await sleep(50);
  const before = upstream.received();
  const again = oneMore();
  await sleep(100);
  assert.equal(upstream.received(), before, "what was given back can be used by another user");
  again.destroy();
});

test("PX-9 one user's held bodies take 16 MiB; beyond that bodies are passed on as they come, and others are not affected", async (t) => {
  const upstream = await startRawUpstream(t);
  const { begin, site } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  const size = 4 * 1024 * 1024;
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
  await sleep(200);
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
  await sleep(50);
  const count = upstream.received();
  const again = upload();
  await sleep(100);
  assert.equal(upstream.received(), count, "what was given back is there again");
  again.destroy();
});
