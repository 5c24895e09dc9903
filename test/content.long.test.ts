import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { myContent } from "#src/cli/demo-content.ts";
import { openSite, signIn } from "./support/site.ts";

describe("My content, the example of a route of one's own", () => {
  test("shows a user's items in pages, and no other user's", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser, "pia_publisher");
    const titles = async (page: number) => {
      const { body } = await browser.get(`/content?page=${page}`);
      return [...body.matchAll(/<li>.*?<bdi>(.*?)<\/bdi>/gs)].map(([, title]) => title);
    };
    assert.deepEqual(
      [(await titles(1)).length, (await titles(2)).length, (await titles(3)).length],
      [10, 10, 3],
    );
    assert.deepEqual(await titles(4), []);
    const { body } = await browser.get("/content?page=2");
    assert.match(body, /rel="prev" href="\/content\?page=1"/);
    assert.match(body, /rel="next" href="\/content\?page=3"/);
    const [asked] = site.sandbox.log.filter(({ endpoint }) => endpoint === "search");
    assert.equal(asked?.query.q, 'owner:"pia_publisher"');
  });
});
