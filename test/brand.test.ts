import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { contrast, darkened, shadeOf, white } from "#src/app/config/color.ts";
import { ConfigError, parseConfig } from "#src/app/config/config.ts";
import { createApp } from "#src/app/create-app.ts";
import { openSite, secret, signIn } from "./support/site.ts";
import { folder } from "./support/temporary.ts";

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 9"><script>alert(1)</script><path d="M0 0h1v9z"/></svg>';
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

/** A folder with these files. */
function filesIn(t: Pick<TestContext, "after">, files: Record<string, string | Buffer>): string {
  const path = folder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

const required = {
  CLIENT_ID: "app",
  REDIRECT_URI: "http://localhost:3000/authenticate",
  SESSION_SECRET: secret(),
  ENCRYPTION_KEY: secret(),
};

/** What is wrong with these settings. */
function problemsOf(settings: Record<string, unknown>): string[] {
  try {
    parseConfig({ ...required, ...settings });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

/** Colors all over the cube, the corners included. */
const steps = [0, 51, 102, 153, 204, 255].map((value) => value.toString(16).padStart(2, "0"));
const colors = steps.flatMap((red) =>
  steps.flatMap((green) => steps.map((blue) => `#${red}${green}${blue}`)),
);

/** The colors of app.css and brand.css by their names, as browsers compute them from a color. */
function paletteOf(theme: "light" | "dark", color: string): (name: string) => string {
  const rules = ["app.css", "brand.css"].map((name) =>
    readFileSync(`views/assets/${name}`, "utf8").split("prefers-color-scheme: dark"),
  );
  const parts = [
    ...rules.map(([light]) => light),
    ...rules.map(([, dark]) => (theme === "dark" ? dark : "")),
  ];
  const names = new Map(
    [...parts.join("").matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name = "", value = ""]) => [name, value]),
  );
  names.set("brand", color);
  names.set("shade", shadeOf(color));
  const hex = (value: string): string => {
    const [, name] = /^var\(--([\w-]+)\)$/.exec(value) ?? [];
    if (name) return hex(names.get(name) ?? assert.fail(name));
    const [, one, other, percent] = /^color-mix\(in srgb, (.+), (.+) (\d+)%\)$/.exec(value) ?? [];
    if (!one || !other) return value.replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3");
    const [first, second] = [one, other].map((part) => Buffer.from(hex(part).slice(1), "hex"));
    const mixed = first?.map(
      (channel, at) => channel + (((second?.[at] ?? 0) - channel) * Number(percent)) / 100,
    );
    return `#${Buffer.from(mixed ?? []).toString("hex")}`;
  };
  return (name) => hex(`var(--${name})`);
}

describe("APP_COLOR", () => {
  test("has the contrast ratios of WCAG 2.2", () => {
    assert.equal(contrast("#000000", white), 21);
    assert.equal(contrast(white, white), 1);
    assert.equal(contrast("#767676", white).toFixed(2), "4.54");
    assert.equal(contrast("#777777", white).toFixed(2), "4.48");
    assert.equal(contrast("#007ac2", white).toFixed(2), "4.60");
  });

  test("that is too light for the text of buttons stops the start, and the color that is named instead passes", () => {
    const [problem = ""] = problemsOf({ APP_COLOR: "#ffd100" });
    assert.match(
      problem,
      /^APP_COLOR: is too light for the white text of buttons .* Use #[0-9a-f]{6}, the nearest/,
    );
    const [, suggestion = ""] = /Use (#[0-9a-f]{6})/.exec(problem) ?? [];
    assert.deepEqual(problemsOf({ APP_COLOR: suggestion }), []);
    assert.equal(suggestion, "#8e7400", "it is a yellow still");
  });

  test("is refused for every color that fails, and for no other; a step lighter than the suggestion fails again", () => {
    for (const color of colors) {
      const suggestion = darkened(color);
      const fails = contrast(color, white) < 4.5;
      assert.equal(problemsOf({ APP_COLOR: color }).length > 0, fails, color);
      assert.equal(suggestion !== color, fails, color);
      assert.ok(contrast(suggestion, white) >= 4.5, `${color}: ${suggestion}`);
      if (!fails) continue;
      const lighter = suggestion.replace(/[0-9a-f]{2}/g, (channel) =>
        Math.min(255, Number.parseInt(channel, 16) + 1)
          .toString(16)
          .padStart(2, "0"),
      );
      assert.ok(
        contrast(lighter, white) < 4.5,
        `${color}: ${lighter} passes, and is nearer than ${suggestion}`,
      );
    }
  });

  test("gives text of 4.5 to 1 and focus rings of 3 to 1 in both themes, on every background", () => {
    for (const color of colors.map((color) => darkened(color))) {
      for (const theme of ["light", "dark"] as const) {
        const of = paletteOf(theme, color);
        const pairs = [
          ...["action", "action-hover"].map((background) => ["on-action", background]),
          ...["page", "card", "notice"].map((background) => ["link", background]),
          ["text", "notice"],
        ];
        for (const [one = "", other = ""] of pairs)
          assert.ok(contrast(of(one), of(other)) >= 4.5, `${color} ${theme}: ${one} on ${other}`);
        for (const background of ["page", "card"])
          assert.ok(contrast(of("action"), of(background)) >= 3, `${color} ${theme}`);
        assert.notEqual(
          of("action-hover"),
          of("action"),
          `${color}: a button shows that the pointer is on it`,
        );
      }
    }
  });

  for (const [value, expected] of [
    ["#005E95", "#005e95"],
    ["005e95", "#005e95"],
  ] as const) {
    test(`${value} is ${expected}`, () => {
      assert.equal(parseConfig({ ...required, APP_COLOR: value }).appColor, expected);
    });
  }

  for (const value of ["blue", "#05f", "#005e95ff", "rgb(0,0,0)", "#005e9", "}:root{", 5])
    test(`${value} is no color`, () => {
      assert.match(problemsOf({ APP_COLOR: value }).join(), /^APP_COLOR: (is not a color|must be text)/);
    });

  test("is the color of the stylesheet and of the icon", async (t) => {
    const { url } = await openSite(t, { settings: { APP_COLOR: "#7a3b00" } });
    const html = await (await fetch(url)).text();
    const [, path = ""] = /<link rel="stylesheet" href="([^"]+brand\.css)">/.exec(html) ?? [];
    const css = await fetch(url + path);
    assert.equal(css.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(css.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.match(await css.text(), /^ {4}--brand: #7a3b00;$/m);
    assert.match(await (await fetch(`${url}/assets/favicon.svg`)).text(), /fill="#7a3b00"/);
  });

  test("makes a button darker under the pointer, and lighter if the color is nearly black", async (t) => {
    for (const [APP_COLOR, shade] of [
      ["#7a3b00", "#000000"],
      ["#000000", "#ffffff"],
    ]) {
      const { url } = await openSite(t, { settings: { APP_COLOR } });
      const css = await (await fetch(`${url}/assets/brand.css`)).text();
      assert.equal(/^ {4}--shade: (.+);$/m.exec(css)?.[1], shade);
    }
  });
});

describe("APP_NAME", () => {
  test("is on the page and on the tab, as text", async (t) => {
    const { url } = await openSite(t, { settings: { APP_NAME: "Trees & <b>Parks</b>" } });
    const html = await (await fetch(url)).text();
    assert.match(html, /<title>Sign in – Trees &amp; &lt;b&gt;Parks&lt;\/b&gt;<\/title>/);
    assert.match(html, /<\/svg>\s+Trees &amp; &lt;b&gt;Parks&lt;\/b&gt;\s+<\/a>/);
    assert.doesNotMatch(html, /ArcGIS Sign-In|brand\.css/);
  });

  for (const value of ["x".repeat(61), "two\nlines", "\u202Ebackwards", "nul\0"])
    test(`${JSON.stringify(value.slice(0, 12))} stops the start`, () => {
      assert.match(problemsOf({ APP_NAME: value }).join(), /^APP_NAME: is too long, or has characters/);
    });
});

describe("APP_LOGO", () => {
  test("HT-4 comes from a fixed path with its type, and a policy under which its scripts do not run", async (t) => {
    const path = filesIn(t, { "logo.png": svg, "photo.svg": png });
    for (const [name, type] of [
      ["logo.png", "image/svg+xml"],
      ["photo.svg", "image/png"],
    ] as const) {
      const { url } = await openSite(t, { settings: { APP_LOGO: join(path, name) } });
      const html = await (await fetch(url)).text();
      const [, src = ""] = /<img class="logo" src="(\/assets\/[0-9a-f]{12}\/logo)" alt="">/.exec(html) ?? [];
      assert.ok(html.includes(`<link rel="icon" href="${src}">`));
      for (const address of [src, "/assets/logo"]) {
        const response = await fetch(url + address);
        assert.equal(response.headers.get("content-type"), type, address);
        assert.equal(response.headers.get("x-content-type-options"), "nosniff");
        const policy = String(response.headers.get("content-security-policy"));
        assert.match(policy, /^default-src 'none';.*; sandbox$/);
        assert.doesNotMatch(policy, /script-src|allow-/);
        assert.deepEqual(
          Buffer.from(await response.arrayBuffer()),
          type === "image/png" ? png : Buffer.from(svg),
        );
      }
    }
  });

  for (const [what, content, problem] of [
    ["too large", Buffer.concat([png, Buffer.alloc(256 * 1024)]), /is larger than 256 KB/],
    ["a page", "<!doctype html><svg></svg>", /is not such an image/],
    ["a GIF", "GIF89a", /is not such an image/],
    ["empty", "", /is not such an image/],
  ] as const) {
    test(`that is ${what} stops the start`, (t) => {
      const path = join(filesIn(t, { logo: content }), "logo");
      assert.match(problemsOf({ APP_LOGO: path }).join(), new RegExp(`^APP_LOGO: ${problem.source}`));
    });
  }

  test("that is missing, a folder, a device or no text stops the start", (t) => {
    const path = folder(t);
    assert.match(
      problemsOf({ APP_LOGO: join(path, "none.png") }).join(),
      /^APP_LOGO: cannot be read \(ENOENT\)/,
    );
    assert.match(problemsOf({ APP_LOGO: path }).join(), /^APP_LOGO: is not a file/);
    assert.match(problemsOf({ APP_LOGO: "/dev/zero" }).join(), /^APP_LOGO: (is not a file|cannot be read)/);
    assert.match(problemsOf({ APP_LOGO: "a\0b" }).join(), /^APP_LOGO: cannot be read/);
    assert.match(problemsOf({ APP_LOGO: 5 }).join(), /^APP_LOGO: must be text/);
  });
});

describe("VIEWS_DIR", () => {
  test("replaces templates, partials, texts and assets file by file; the rest is ours", async (t) => {
    const viewsDir = filesIn(t, {
      "confirm.ejs":
        '<%- include("/partials/top") -%>\n<main>Bye, <%= nameOf(header.user) %>? <%- include("/partials/sign-out", { csrfToken, look: "mine" }) -%></main>\n<%- include("/partials/mine") -%>\n',
      "partials/bottom.ejs": "<footer>Parks</footer>\n",
      "partials/mine.ejs": "<p><%= t('parks.rule') %></p>\n",
      "locales/en.json": '{ "parks.rule": "No dogs", "home.heading": "Welcome to the parks" }',
      "assets/app.css": "body { color: green }",
      "assets/parks.js": "alert(1)",
    });
    const site = await openSite(t, { settings: { VIEWS_DIR: viewsDir } });
    const plain = await openSite(t, { sandbox: site.sandbox });
    const browser = site.browser();
    const { body: home } = await browser.get("/");
    assert.match(home, /<h1>Welcome to the parks<\/h1>/);
    assert.match(home, /<footer>Parks<\/footer>/);
    const [, version = ""] = /\/assets\/([0-9a-f]{12})\/app\.css/.exec(home) ?? [];
    assert.equal((await browser.get(`/assets/${version}/app.css`)).body, "body { color: green }");
    assert.equal((await browser.get(`/assets/${version}/parks.js`)).body, "alert(1)");
    assert.match((await browser.get(`/assets/${version}/session.js`)).body, /countdown/);
    await signIn(browser);
    const { body: confirm } = await browser.get("/sign-out");
    assert.match(confirm, /<main>Bye, Sandy Boxwell\?\s+<form method="post" action="\/sign-out"/);
    assert.match(confirm, /<button class="mine">Sign out<\/button>[\s\S]*<p>No dogs<\/p>\n$/);
    // Neither the files nor the version of another app in the same process.
    const { body: other } = await plain.browser().get("/");
    assert.doesNotMatch(other, new RegExp(`parks|Parks|${version}`));
  });

  test("OU-4 a template that fails when it is filled in becomes our error page, an error.ejs too", async (t) => {
    const viewsDir = filesIn(t, {
      "home.ejs": "<%= user.name.of.nobody %>",
      "error.ejs": "<%= missing %>",
    });
    const site = await openSite(t, { settings: { VIEWS_DIR: viewsDir } });
    const { status, body } = await site.browser().get("/");
    assert.equal(status, 500);
    assert.match(body, /data-code="internal"/);
    assert.doesNotMatch(body, /nobody|home\.ejs|TypeError/);
    assert.match(site.log.text(), /"reason":"[^"]*(?:undefined|not defined)/);
  });

  for (const [what, files, problem] of [
    ["a template that does not compile", { "home.ejs": "<% if ( %>" }, /VIEWS_DIR: home\.ejs: /],
    [
      "a tag without an end",
      { "partials/top.ejs": "<%= title" },
      /VIEWS_DIR: .*: Could not find matching close tag/,
    ],
    [
      "a misspelled template",
      { "hom.ejs": "" },
      /VIEWS_DIR: hom\.ejs: takes the place of none of our pages\. Did you mean home\.ejs\?/,
    ],
    [
      "an include of nothing",
      { "home.ejs": '<%- include("/partials/none") -%>\n' },
      /VIEWS_DIR: home\.ejs: ENOENT/,
    ],
    [
      "a partial inside itself",
      { "partials/top.ejs": '<%- include("/partials/top") -%>\n' },
      /VIEWS_DIR: .*stack/,
    ],
    ["a broken catalog", { "locales/nl.json": "{" }, /VIEWS_DIR: .*nl\.json: /],
  ] as const) {
    test(`with ${what} stops the start in one line`, async (t) => {
      const config = parseConfig({ ...required, VIEWS_DIR: filesIn(t, files) });
      await assert.rejects(createApp({ config }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, problem);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }

  test("must be a folder", (t) => {
    const path = filesIn(t, { file: "" });
    for (const value of [join(path, "file"), join(path, "none")])
      assert.match(problemsOf({ VIEWS_DIR: value }).join(), /^VIEWS_DIR: is not a folder\. Enter the path/);
  });
});
