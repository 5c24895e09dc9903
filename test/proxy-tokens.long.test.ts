import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenCalls } from "./support/expect.ts";
import { openProxy } from "./support/proxy.ts";
import { currentToken, refusing, responding } from "./support/proxy-tokens.ts";

const invalid = '{"error":{"code":498,"message":"Invalid token.","details":[]}}';

test("TK-8 a body too large to be kept is sent once: its error comes back, and the next request has a new token", async (t) => {
  const proxy = await openProxy(t);
  const { site, upstream, ask } = proxy;
  const old = await currentToken(proxy);
  upstream.behave = refusing(old, responding(invalid, { "Content-Type": "application/json" }));
  const large = { method: "POST", body: "x".repeat(5_000_000), headers: { "Content-Type": "image/tiff" } };
  assert.equal((await ask(`${upstream.origin}/x`, large)).body, invalid);
  assert.equal(upstream.seen.length, 1);
  assert.equal(tokenCalls(site), 2);
  assert.equal((await ask(`${upstream.origin}/x`, large)).status, 200);
  assert.equal(upstream.seen.at(-1)?.body.length, 5_000_000);
});
