import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import { openSite } from "./support/site.ts";

/** What a program on this machine sends; no header that a browser would add. */
const program = { Accept: "*/*" };

describe("/healthz and /readyz", () => {
  test("a store that never responds makes /readyz 503 after two seconds", async (t) => {
    const asked = new EventEmitter();
    const site = await openSite(t);
    t.mock.method(site.store.admin, "probe", () => {
      asked.emit("ping");
      return new Promise(() => {});
    });
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const response = site.browser().get("/readyz", program);
    await once(asked, "ping");
    t.mock.timers.tick(2_000);
    assert.equal((await response).status, 503);
  });
});
