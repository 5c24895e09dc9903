import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Browser, click, crossSite } from "./support/browser.ts";
import { choose, startChromium } from "./support/chromium.ts";
import { startDemo } from "./support/demo.ts";
import { callbackFor, signIn } from "./support/site.ts";

const { skip, open } = await startChromium();

/** The attacks of the page: the verdict, what the log says, and the file of the source that refuses. */
const attacks: Record<string, [verdict: string, log: RegExp, file: string]> = {
  "return-to": ["No effect.", /"msg":"returnTo is too long or not a path/, "src/auth/request-checks.ts"],
  host: ["No effect.", /^/, "src/app/config/config.ts"],
  replay: ["Refused: transaction_used.", /"code":"transaction_used"/, "src/auth/auth-transaction.ts"],
  state: ["Refused: state_mismatch.", /"code":"state_mismatch"/, "src/auth/auth-transaction.ts"],
  code: ["Refused: code_refused.", /Invalid code_verifier/, "src/auth/callback.ts"],
  edited: ["Refused: signed_out.", /"reason":"damaged or forged"/, "src/auth/session/seal.ts"],
  swapped: ["Refused: signed_out.", /"reason":"damaged or forged"/, "src/auth/session/seal.ts"],
  token: ["Refused: untrusted_url.", /"reason":"not in the allowed URLs/, "src/proxy/targets.ts"],
  form: ["Refused: csrf.", /"code":"csrf"/, "src/auth/auth-context.ts"],
};

test("/how of the demo", async (t) => {
  const { url, cwd } = await startDemo(t);

  await t.test(
    "in Chromium without JavaScript or a mouse, it tells the whole sign-in and how each attack is refused",
    {
      skip,
    },
    async (t) => {
      const { page } = await open(t, { javaScriptEnabled: false });
      const shown = (id: string) => page.locator(`#${id}`).innerText();
      await page.goto(url);
      await page.getByRole("link", { name: "Look inside your sign-in" }).click();
      await page.getByRole("link", { name: "Sign in" }).click();
      await choose(page, "Vik Rao");
      await page.waitForURL(`${url}/how`);

      for (const [id, [verdict, log, file]] of Object.entries(attacks)) {
        await page.locator(`#${id}`).getByRole("button").press("Enter");
        await page.waitForURL(`${url}/how#${id}`);
        assert.equal(await page.locator(`#${id} strong`).textContent(), verdict);
        assert.match(await shown(id), log);
        assert.ok((await shown(id)).includes(`Stopped here: ${file}, line `), id);
      }
      assert.match(await shown("refresh"), /Not recorded/);
      await page.getByRole("button", { name: "Refresh now" }).press("Enter");
      assert.match(
        await shown("refresh"),
        /&grant_type=refresh_token\s+&refresh_token=\S{4}… \(384 characters\)/,
      );
      await page.locator("#sign-out").getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Look inside your sign-in" }).click();

      assert.match(await shown("redirect"), /GET \/sign-in.*→ 302 Found.*&code_challenge_method=S256/s);
      assert.match(await shown("callback"), /GET \/authenticate.*→ 303 See Other/s);
      assert.match(await shown("token-request"), /grant_type=authorization_code.*code_verifier=/s);
      assert.match(await shown("file"), /There is no such file/);
      assert.match(await shown("next-request"), /GET \/how.*Cookie: arcgis\.sid=/s);
      assert.match(await shown("sign-out"), /POST \/sign-out.*→ 303.*oauth2\/revokeToken.*auth_token=/s);
      assert.equal(await page.getByRole("button").count(), 0);
      assert.equal(await page.getByText("The source is not here").count(), 0);
    },
  );

  await t.test("it shows no secret whole, and only the sign-in of the same browser", async () => {
    const [reader, other, visitor] = [new Browser(url), new Browser(url), new Browser(url)];
    const callback = await callbackFor(reader, "vik_viewer");
    const secrets = [...new URL(callback).searchParams.values(), ...reader.cookies.values()];
    await reader.get(callback, crossSite);
    secrets.push(...reader.cookies.values());
    await signIn(other, "pia_publisher");
    const issued = JSON.parse(readFileSync(join(cwd, ".demo/portal.json"), "utf8"));
    secrets.push(...[...issued.accessTokens, ...issued.refreshTokens].map(([token]: [string]) => token));

    const page = await reader.get("/how", click);
    for (const secret of secrets) assert.ok(!page.body.includes(secret) && secret.length > 20);
    const ownCode = `code=${secrets[0]?.slice(0, 4)}…`;
    assert.ok(page.body.includes(ownCode));
    assert.match(page.body, /user name: vik_viewer/);
    for (const browser of [other, visitor]) {
      browser.cookies.set("how", "undefined");
      assert.ok(!(await browser.get("/how", click)).body.includes(ownCode));
    }
    assert.match((await other.get("/how", click)).body, /user name: pia_publisher/);
    assert.match((await visitor.get("/how", click)).body, /Sign in, and this page shows what happened/);
  });

  await t.test(
    "it attacks nothing for another site, a visitor, or by a name that it does not know",
    async () => {
      const browser = new Browser(url);
      assert.equal((await browser.post("/how", { try: "host" })).status, 401);
      await signIn(browser);
      const csrf_token = await csrfTokenOf(browser);
      assert.equal((await browser.post("/how", { try: "host", csrf_token }, crossSite)).status, 403);
      assert.equal((await browser.post("/how", { try: "host" })).status, 403);
      assert.equal((await browser.post("/how", { try: "constructor", csrf_token })).status, 400);
      assert.doesNotMatch((await browser.get("/how", click)).body, /No effect/);
      assert.equal((await browser.post("/how", { try: "host", csrf_token })).status, 303);
      assert.match((await browser.get("/how", click)).body, /No effect/);
    },
  );

  await t.test("it outlives responses to what is no URL, all of which it records", async () => {
    const browser = new Browser(url);
    for (const path of ["//", "//x:y/", "/sign-in?%", "/%", "/authenticate?state=%&code=%"])
      assert.ok((await browser.get(url + path)).status < 500, path);
    assert.equal((await browser.get("/how")).status, 200);
  });
});

/** In the compiled source: a guard, and the same with a condition under which it is off. */
const guards: Record<string, [file: string, guard: string, withSwitch: string]> = {
  "return-to": ["auth/request-checks.js", `if (typeof value !== "string"`, `if (OFF) return value; $`],
  state: ["auth/auth-transaction.js", "timingSafeEqual(Buffer.from(stateDigest), wanted)", "OFF || $"],
  swapped: ["auth/session/sealed-record.js", `"session", name`, `"session", OFF ? "" : name`],
  token: ["proxy/targets.js", "!isAllowed(url.origin + path, path)", "!OFF && $"],
  form: ["auth/auth-context.js", "verifyForm() {", "$ if (OFF) return;"],
};

test("with its guard turned off in the source, an attack on /how succeeds, and the page says so", async (t) => {
  const switches = Object.entries(guards).map(([id, [file, guard, on]]) => [
    file,
    guard,
    on.replace("OFF", `globalThis.attack === "${id}"`),
  ]);
  // Only during its own attack.
  switches.push(["cli/how/how.js", "carryOut(attack, scene)", "(globalThis.attack = wanted, $)"]);
  switches.push(["cli/how/stage.js", "finally {", "$ globalThis.attack = undefined;"]);
  const { url } = await startDemo(t, switches);
  const browser = new Browser(url);
  await signIn(browser);
  const csrf_token = await csrfTokenOf(browser);
  for (const id of Object.keys(attacks)) await browser.post("/how", { try: id, csrf_token });
  const { body } = await browser.get("/how", click);
  const verdicts = [...body.matchAll(/<section class="attack" id="([\w-]+)".*?<strong.*?>(.*?)<\/strong>/gs)];
  const successful = verdicts
    .filter(([, , verdict]) => verdict === "The attack succeeded.")
    .map(([, id]) => id);
  assert.equal(verdicts.length, 9);
  assert.deepEqual(successful.sort(), Object.keys(guards).sort());
});

async function csrfTokenOf(browser: Browser): Promise<string> {
  return /"csrf_token" value="([^"]+)"/.exec((await browser.get("/how", click)).body)?.[1] ?? "";
}
