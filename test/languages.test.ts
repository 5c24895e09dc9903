import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { nextSteps } from "#src/app/errors.ts";
import { readLanguages } from "#src/app/pages/languages.ts";
import { typed } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";
import { folder } from "./support/temporary.ts";

const views = join(import.meta.dirname, "../views");
const ours = join(views, "locales");
const catalogOf = (lang: string): Record<string, string> =>
  JSON.parse(readFileSync(join(ours, `${lang}.json`), "utf8"));
const english = catalogOf("en");
const translations = readdirSync(ours)
  .map((name) => name.replace(".json", ""))
  .filter((lang) => lang !== "en");

/** The values and parts of a text. */
const marks = (text = "") => (text.match(/\{\w+\}|[[\]]/g) ?? []).sort();

describe("a catalog", () => {
  test("exists for English, German, French, Spanish and Japanese", () => {
    assert.deepEqual(translations.sort(), ["de", "es", "fr", "ja"]);
  });

  for (const lang of translations) {
    test(`${lang} has the keys of the English one in the same order, with the same values and parts`, () => {
      const catalog = catalogOf(lang);
      assert.deepEqual(Object.keys(catalog), Object.keys(english));
      for (const [key, text] of Object.entries(catalog))
        assert.deepEqual(marks(text), marks(english[key]), key);
    });

    test(`${lang} is translated: few short texts are the same as in English`, () => {
      const same = Object.entries(catalogOf(lang)).filter(([key, text]) => text === english[key]);
      const long = same.filter(([, text]) => text.replace(/\{\w+\}/g, "").length > 20).map(([key]) => key);
      assert.deepEqual(long, []);
      assert.ok(same.length < 12, String(same));
    });
  }

  test("names each button for screen readers by a text that contains what is on it (WCAG 2.5.3)", () => {
    const names = [
      ["page.signIn", "page.signInAt"],
      ["page.signOut", "page.signOutOf"],
      ["page.signOut", "sign-ins.signOutOne"],
    ] as const;
    for (const lang of ["en", ...translations]) {
      const catalog = catalogOf(lang);
      for (const [shown, name] of names) {
        const [button = "", text = ""] = [catalog[shown], catalog[name]].map((it) => it?.toLowerCase());
        assert.ok(text.includes(button), `${lang}: ${name} does not contain "${button}"`);
      }
    }
  });

  test("has a heading and a text for every error, and no others", () => {
    const keys = Object.keys(english).filter((key) => /^error\.\w+\.\w+$/.test(key));
    const expected = Object.keys(nextSteps).flatMap((code) => [`error.${code}.title`, `error.${code}.text`]);
    assert.deepEqual(keys.sort(), expected.sort());
  });

  test("has every key that a template or a page names, and no key that none does", () => {
    const templates = ["", "partials", "assets"].flatMap((name) =>
      readdirSync(join(views, name))
        .filter((file) => /\.(ejs|js)$/.test(file))
        .map((file) => readFileSync(join(views, name, file), "utf8")),
    );
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join("src", name), "utf8"));
    const all = [...templates, ...sources].join("\n");
    const isNamed = (key: string) =>
      all.includes(`"${key}"`) || all.includes(`"${key.replace(/^map\./, "")}"`);
    const named = [
      ...templates.join("\n").matchAll(/\b(?:t|parts)\((?:\w+ \? )?"([\w.-]+)"(?: : "([\w.-]+)")?/g),
    ];
    assert.ok(named.length > 50);
    for (const [, ...keys] of named)
      for (const key of keys.filter(Boolean)) assert.ok(key in english || `map.${key}` in english, key);
    const computed = /^(?:locale$|role\.|error\.)/;
    assert.deepEqual(
      Object.keys(english).filter((key) => !computed.test(key) && !isNamed(key)),
      [],
    );
  });
});

describe("an operator's catalogs", () => {
  const read = (t: Parameters<typeof folder>[0], files: Record<string, unknown>) => {
    const own = folder(t);
    mkdirSync(own, { recursive: true });
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(own, name), typeof content === "string" ? content : JSON.stringify(content));
    return readLanguages([ours, own]);
  };

  test("add a language, whose missing texts are English, and change single texts of ours", (t) => {
    const languages = read(t, {
      "nl.json": { "page.signIn": "Aanmelden" },
      "de.json": { "page.signIn": "Einloggen" },
      "de-AT.json": { "page.start": "Anfang" },
      "ar.json": {},
    });
    assert.deepEqual([...languages.keys()][0], "en");
    const texts = ["nl", "de", "de-AT"].map((lang) => languages.get(lang)?.t("page.signIn"));
    assert.deepEqual(texts, ["Aanmelden", "Einloggen", "Einloggen"]);
    assert.equal(languages.get("nl")?.t("page.signOut"), "Sign out");
    assert.equal(languages.get("de")?.t("page.signOut"), "Abmelden");
    assert.deepEqual([languages.get("ar")?.dir, languages.get("nl")?.dir], ["rtl", "ltr"]);
    assert.match(String(languages.get("nl")?.dateText(0)), /^1 januari 1970/);
  });

  for (const [what, files, message] of [
    ["that is not JSON", { "nl.json": "{" }, /nl\.json: .*JSON/],
    ["for no language", { "not a language.json": {} }, /not a language\.json: /],
    [
      "with a value that is not text",
      { "nl.json": { "page.signIn": 1 } },
      /nl\.json: "page\.signIn" is not text/,
    ],
    [
      "that lacks the link of a text",
      { "nl.json": { "home.signedOutNote": "Een andere account." } },
      /nl\.json: "home\.signedOutNote" must have these values and parts: \[\]/,
    ],
    [
      "that changes English into a text without its value",
      { "en.json": { "home.sent": "Away to [there]." } },
      /en\.json: "home\.sent" must have these values and parts: \[\]\{host\}/,
    ],
  ] as const) {
    test(`${what} stop the start`, (t) => {
      assert.throws(() => read(t, files), message);
    });
  }
});

test("a page comes in the language that the browser prefers, and tells caches so", async (t) => {
  const site = await openSite(t);
  const pageIn = async (accepted: string | undefined, path = "/") => {
    const headers = { ...typed, ...(accepted !== undefined && { "Accept-Language": accepted }) };
    const { headers: received, body: html } = await site.browser().get(path, headers);
    assert.match(String(received.vary), /\bAccept-Language\b/);
    return [/<html lang="([^"]*)">/.exec(html)?.[1], /<h1>(.*?)<\/h1>/.exec(html)?.[1]];
  };
  const german = ["de", "Mit Ihrem ArcGIS-Konto anmelden"];
  const inEnglish = ["en", "Sign in with your ArcGIS account"];
  for (const [accepted, expected] of [
    [undefined, inEnglish],
    ["", inEnglish],
    ["*", inEnglish],
    ["de", german],
    ["DE-at", german],
    ["de-CH-1996,de;q=0.9,en;q=0.8", german],
    ["nl,de;q=0.2", german],
    ["nl", inEnglish],
    ["en;q=0.4,de;q=0.6", german],
    ["en,de", inEnglish],
    ["de;q=0", inEnglish],
    ["__proto__", inEnglish],
    ["constructor,de;q=0.1", german],
    [`${"x-y,".repeat(300)}de`, inEnglish],
    ["de\t;;q=,\"'<", german],
  ] as const)
    assert.deepEqual(await pageIn(accepted), expected, accepted);
  assert.deepEqual(await pageIn("de", "/nothing"), ["de", "Seite nicht gefunden"]);
  assert.deepEqual(await pageIn("ja", "/nothing"), ["ja", "ページが見つかりません"]);

  // For programs, a code is the language.
  const api = await fetch(`${site.url}/api/session`, { headers: { "accept-language": "de" } });
  assert.equal((await api.json()).error.message, "Sign in to continue.");
});

test("the start page of a user is in their language, with their language's dates and durations", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  const { body } = await browser.get("/", { ...typed, "Accept-Language": "de-DE,de;q=0.9" });
  for (const expected of [
    /<dt>Organisation<\/dt>/,
    /wird in <time [^>]*>\d+ Min\.<\/time> aktualisiert/,
    /<time id="valid-until"[^>]*>\d+\. \p{L}+ \d{4} um \d\d:\d\d UTC<\/time> <span class="left quiet">\(1[34] Tage\)/u,
    /<button class="button plain">Abmelden<\/button>/,
    /<a href="\/sign-ins">[^<]+<\/a>/,
  ])
    assert.match(body, expected);
});
