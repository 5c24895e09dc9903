import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import ejs from "ejs";
import express, { type Request, type Response } from "express";
import { renderError } from "#src/app/error-page.ts";
import { AppError, type ErrorCode, nextSteps } from "#src/app/errors.ts";
import { renderHome } from "#src/app/pages/home.ts";
import { displayName, initials } from "#src/app/pages/text.ts";
import { openViews, renderConfirm } from "#src/app/pages/views.ts";
import { errorOf, pageTextsOf } from "./support/expect.ts";
import { casesOf } from "./support/rounds.ts";

const viewsFolder = join(import.meta.dirname, "../views");
const minute = 60_000;
const day = 24 * 60 * minute;

type User = Parameters<typeof renderConfirm>[1]["user"];

const sandy: User = {
  fullName: "Sandy Boxwell",
  username: "sandy_sandbox",
  organization: "Sandbox City GIS",
  role: "org_publisher",
};

const family = "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}";

const hostileTexts = [
  "<img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  "</pre></title><script>alert(1)</script>",
  "<!-- ",
  "&lt;b&gt; &amp;quot;",
  `\${7*7} {{7*7}} <%= 7*7 %> <%- include('/etc/passwd') %>`,
  "\u202Eevil\u2066 \u200Fname\u061C",
  "nul\0 bell\x07 escape\x1B[31m c1\x9B",
  "line\r\nSet-Cookie: a=b\u2028end",
  family.repeat(3),
  "x".repeat(10_000),
  `a${"\u0301".repeat(10_000)}`,
  "\uD800 alone",
  "__proto__",
  "constructor",
];

let draw: (res: Response) => void;
let server: Server;
let origin: string;

const app = express();
const views = openViews();
app.locals.views = views;
const { roleName, durationText, agoText } = views.languages.get("en") ?? assert.fail("there is English");
app.use(views.assets);
app.get("/page", (_req, res) => draw(res));

before(async () => {
  const host = express();
  host.use("/gis", app);
  host.use(app);
  host.use("/by/:name", app);
  server = host.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => server.close());

/** What `render` responses when the app is mounted at `base` and has this `notice`. */
async function page(render: (res: Response) => void, base = "", notice?: string) {
  draw = render;
  app.locals.views = notice === undefined ? views : openViews({}, notice);
  const response = await fetch(`${origin}${base}/page`);
  return { status: response.status, type: response.headers.get("content-type"), html: await response.text() };
}

/** One of each page, with `text` wherever text from elsewhere can stand, in elements and in attributes. */
function pagesWith(text: string, user: User): Record<string, (res: Response) => void> {
  const visitor = { user, csrfToken: text };
  const soon = new Date(Date.now() + 27.5 * minute);
  const later = new Date(Date.now() + 13.5 * day);
  return {
    "signed out": (res) => renderHome(res, { portal: text }),
    "signed in": (res) =>
      renderHome(res, { ...visitor, portal: text, tokenExpires: soon, signInExpires: later }),
    confirm: (res) => renderConfirm(res, visitor),
    error: (res) => {
      res.req.arcgis = { user, signOutUrl: `${res.req.baseUrl}/sign-out` } as Request["arcgis"];
      renderError(res, new AppError("internal"), text, text);
    },
  };
}

const userOf = (text: string): User => ({
  fullName: text,
  username: text,
  organization: text,
  role: text,
});

/** The markup alone: tags with the names of their attributes, without text and values. */
function markup(html: string): string[] {
  const tags = html.match(/<[^>]*>/g) ?? [];
  return tags.map((tag) => tag.replace(/="[^"]*"/g, ""));
}

/** The values of all attributes called `name`. */
function attributes(html: string, name: string): string[] {
  return Array.from(html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, "g")), ([, value]) => value ?? "");
}

/** The text that a reader sees, in the order of the page. */
function textOf(html: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", "#34": '"', "#39": "'" };
  return html
    .replace(/<head>[\s\S]*<\/head>|<[^>]*>/g, "")
    .replace(/&(\w+|#\d+);/g, (entity, name: string) => entities[name] ?? entity)
    .replace(/\s+/g, " ");
}

describe("hostile text", () => {
  for (const text of casesOf(hostileTexts, 4)) {
    const name = JSON.stringify(text.length > 40 ? `${text.slice(0, 20)}… (${text.length})` : text);
    test(`OU-2 ${name} from the portal adds no markup to any page and is shown as it reads`, async () => {
      const hostile = pagesWith(text, userOf(text));
      for (const [kind, render] of Object.entries(pagesWith("harmless", userOf("harmless")))) {
        const expected = await page(render, "", "harmless");
        const actual = await page(hostile[kind] as typeof render, "", text);
        assert.equal(actual.status, expected.status);
        assert.equal(actual.type, "text/html; charset=utf-8");
        assert.deepEqual(markup(actual.html), markup(expected.html), kind);
        if (kind !== "signed out") assert.ok(textOf(actual.html).includes(displayName(text)), kind);
      }
    });

    test(`OU-2 a name ${name} leaves no control character, no bidi control and no long line on a page`, async () => {
      for (const [kind, render] of Object.entries(pagesWith("harmless", userOf(text)))) {
        const { html } = await page(render);
        assert.doesNotMatch(html, /(?!\n)\p{Cc}|\p{Bidi_Control}|\u2028|\uFFFD/u, kind);
        const longest = Math.max(...html.split("\n").map((line) => line.length));
        assert.ok(longest < 1000, `${kind}: ${longest} characters`);
      }
    });
  }

  test("OU-2 a user whose name is nothing but controls has a heading all the same", async () => {
    const { html } = await page((res) => renderConfirm(res, { user: userOf("\u202E\0"), csrfToken: "t" }));
    assert.match(html, /<bdi class="who">No name<\/bdi>/);
  });

  test("OU-2 a mount path with quotes and tags stays inside its attributes", async () => {
    draw = (res) => renderHome(res, { portal: "https://www.arcgis.com/sharing/rest" });
    const html = await new Promise<string>((resolve, reject) => {
      // fetch would encode the path; this goes out as it is.
      const call = request(`${origin}/`, { path: '/by/"><script>alert(1)<!--/page' }, (response) => {
        response
          .setEncoding("utf8")
          .reduce((all, part) => all + part, "")
          .then(resolve, reject);
      });
      call.on("error", reject).end();
    });
    assert.match(html, /<a class="brand" href="\/by\/&#34;&gt;&lt;script&gt;/);
    assert.doesNotMatch(html, /<script/);
  });

  test("OU-2 what a host app left in res.locals does not reach our pages", async () => {
    const { html } = await page((res) => {
      Object.assign(res.locals, { header: { name: "leak" }, signedIn: { name: "leak" }, notice: "leak" });
      renderHome(res, { portal: "https://www.arcgis.com/sharing/rest" });
    });
    assert.doesNotMatch(html, /leak/);
  });

  for (const [retry, href] of [
    ["/map", "/gis/map"],
    ["/", "/gis/"],
    [undefined, "/gis/"],
    ["", "/gis/"],
    ["//evil.example", "/gis/"],
    ["/\\evil.example", "/gis/"],
    ["/\t/evil.example", "/gis/"],
    ["https://evil.example", "/gis/"],
    ["javascript:alert(1)", "/gis/"],
  ] as const) {
    test(`OU-2 the button to try ${JSON.stringify(retry)} again leads to ${href}`, async () => {
      const { html } = await page((res) => renderError(res, new AppError("internal"), "r-1", retry), "/gis");
      assert.deepEqual(attributes(html.slice(html.indexOf("<main")), "href"), [href]);
    });
  }
});

describe("every page", () => {
  for (const base of ["", "/gis"]) {
    test(`prefixes every link, action and file with the mount path "${base}"`, async () => {
      for (const [kind, render] of Object.entries(pagesWith("harmless", sandy))) {
        const { html } = await page(render, base);
        const targets = ["href", "src", "action"].flatMap((name) => attributes(html, name));
        assert.ok(targets.length >= 4, kind);
        for (const target of targets.filter((target) => target !== "#content")) {
          // Never the bare /sign-in: a browser may have kept a 301 for that of an app that was here before.
          const signIn = `sign-in\\?returnTo=${encodeURIComponent(base)}%2F(?:(?:&amp;|&)force_login=true)?$`;
          assert.match(target, new RegExp(`^${base}/(assets/|${signIn}|sign-ins$|sign-out$|$)`), kind);
        }
      }
    });
  }

  test("HT-1 has no inline script, no style, no handler and no outside address, and needs no wider CSP", async () => {
    for (const [kind, render] of Object.entries(pagesWith("harmless", sandy))) {
      const { html } = await page(render, "", "A notice.");
      assert.doesNotMatch(html, /<style|<script(?! type="module" src=")|<base|<iframe|javascript:/i, kind);
      assert.doesNotMatch(html, /<[^>]*\s(style|on\w+|srcdoc|formaction|target)\s*=/i, kind);
      assert.doesNotMatch(html, /(src|href|action)="(https?:)?\/\//i, kind);
    }
  });

  test("OU-2 escapes by its template: unescaped output is for partials alone", () => {
    const files = [viewsFolder, join(viewsFolder, "partials")].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".ejs"))
        .map((name) => join(folder, name)),
    );
    assert.ok(files.length >= 7);
    for (const file of files)
      assert.doesNotMatch(readFileSync(file, "utf8"), /<%-(?! include\("[\w/-]+")/, file);
  });

  test("has a language, a viewport, one heading, one main part, and a link that skips to it", async () => {
    for (const [kind, render] of Object.entries(pagesWith("harmless", sandy))) {
      const { html } = await page(render);
      assert.match(html, /^<!doctype html>\n<html lang="en">/, kind);
      assert.match(html, /<meta name="viewport" content="width=device-width, initial-scale=1">/, kind);
      assert.equal(html.match(/<h1>/g)?.length, 1, kind);
      assert.equal(html.match(/<main [^>]*id="content"/g)?.length, 1, kind);
      assert.match(html, /<a class="skip" href="#content">/, kind);
    }
  });

  test("shows the operator's notice when there is one, and no empty frame when there is none", async () => {
    for (const [kind, render] of Object.entries(pagesWith("harmless", sandy))) {
      const { html } = await page(render, "", "Connected to the sandbox – no account needed.");
      assert.match(html, /<p class="notice">Connected to the sandbox – no account needed\.<\/p>/, kind);
      assert.doesNotMatch((await page(render)).html, /class="notice"/, kind);
    }
  });

  test("SE-13 when a user is signed in, has one sign-out form with the CSRF token, and the error page a link", async () => {
    const { "signed out": signedOut, error, ...others } = pagesWith("the-csrf-token", sandy);
    assert.ok(signedOut && error);
    for (const [kind, render] of Object.entries(others)) {
      const { html } = await page(render);
      assert.equal(html.match(/<form method="post" action="\/sign-out"/g)?.length, 1, kind);
      assert.match(html, /<input type="hidden" name="csrf_token" value="the-csrf-token">/, kind);
      assert.match(html, /<bdi class="who">Sandy Boxwell<\/bdi>/, kind);
    }
    assert.doesNotMatch((await page(signedOut)).html, /<form/);
    // Its Referrer-Policy lets no form be sent, and there may be no CSRF token: a link leads to the sign-out.
    const { html } = await page(error);
    assert.match(html, /<bdi class="who">Sandy Boxwell<\/bdi>\s*<a class="button plain" href="\/sign-out">/);
    assert.doesNotMatch(html, /<form/);
  });

  test("comes from memory once the app runs, so a disk in trouble cannot take the error page away", async () => {
    const { fileLoader } = ejs;
    ejs.fileLoader = () => assert.fail("a template was read from disk");
    try {
      for (const [kind, render] of Object.entries(pagesWith("harmless", sandy))) {
        assert.match((await page(render)).html, /<main class="card"/, kind);
      }
    } finally {
      ejs.fileLoader = fileLoader;
    }
  });

  test("is ours even inside an app that has another engine for .ejs", async () => {
    const host = express();
    host.engine("ejs", (_path, _options, done) => done(null, "the host's engine"));
    const guest = express();
    guest.locals.views = views;
    host.use(
      "/gis",
      guest.get("/", (_req, res) => renderHome(res, { portal: "https://www.arcgis.com/sharing/rest" })),
    );
    const rendered = await new Promise<string>((resolve, reject) => {
      const hosting = host.listen(0, "127.0.0.1", () => {
        fetch(`http://127.0.0.1:${(hosting.address() as AddressInfo).port}/gis/`)
          .then((response) => response.text())
          .then(resolve, reject)
          .finally(() => hosting.close());
      });
    });
    assert.match(rendered, /<a class="button" href="\/gis\/sign-in\?returnTo=%2Fgis%2F">/);
  });
});

describe("the start page", () => {
  test("signed out: offers sign-in as a link, since form-action 'self' stops a form that ends at the portal", async () => {
    const portal = "https://gis.example.com:7443/portal/sharing/rest";
    const { html } = await page((res) => renderHome(res, { portal }));
    assert.match(html, /<a class="button" href="\/sign-in\?returnTo=%2F">Sign in with ArcGIS<\/a>/);
    assert.match(html, /<strong>gis\.example\.com:7443<\/strong>/);
    assert.match(textOf(html), /Tokens stay on the server\./);
    assert.doesNotMatch(html, /<script|<form/);
  });

  const signedIn = {
    user: sandy,
    csrfToken: "t",
    portal: "https://www.arcgis.com/sharing/rest",
    signInExpires: new Date("2099-12-05T14:03:20Z"),
  };

  test("signed in: says who, where, and how long, before any script runs", async () => {
    const tokenExpires = new Date(Date.now() + 27.5 * minute);
    const { html } = await page((res) => renderHome(res, { ...signedIn, tokenExpires }));
    const text = textOf(html);
    assert.match(html, /<h1><bdi>Sandy Boxwell<\/bdi><\/h1>/);
    assert.match(html, /<span class="avatar" aria-hidden="true">SB<\/span>/);
    for (const expected of [
      "sandy_sandbox",
      "Organization Sandbox City GIS",
      "Role Publisher",
      "Portal https://www.arcgis.com/sharing/rest",
      "Access token refreshed in 27 min",
    ]) {
      assert.ok(text.includes(expected), expected);
    }
    assert.match(text, /Signed in until 5 December 2099(,| at) 14:03 UTC \(\d+ days\)/);
    assert.ok(html.includes(`datetime="${tokenExpires.toISOString()}"`));
    assert.ok(html.includes('datetime="2099-12-05T14:03:20.000Z"'));
  });

  test("SE-13 signed in: says that the ArcGIS sign-in outlives a sign-out here", async () => {
    const { html } = await page((res) => renderHome(res, { ...signedIn, tokenExpires: new Date() }));
    assert.match(textOf(html), /This browser stays signed in to ArcGIS until you sign out there, too\./);
  });

  test("signed in with a token that is due: refreshed at the next use, nothing to count down", async () => {
    const { html } = await page((res) => renderHome(res, { ...signedIn, tokenExpires: new Date(0) }));
    assert.match(html, /<dd id="refresh">refreshed at the next use<\/dd>/);
  });

  test("signed in without a profile: the user name takes its place, and no row is empty", async () => {
    const user = { fullName: "", username: "sandy_sandbox" };
    const { html } = await page((res) => renderHome(res, { ...signedIn, user, tokenExpires: new Date(0) }));
    assert.match(html, /<h1><bdi>sandy_sandbox<\/bdi><\/h1>/);
    assert.doesNotMatch(html, /<dt>(Organization|Role)<\/dt>/);
  });
});

test("the confirm page asks, and offers a way back", async () => {
  const { status, html } = await page((res) => renderConfirm(res, { user: sandy, csrfToken: "t" }), "/gis");
  assert.equal(status, 200);
  assert.match(html, /<h1>Sign out of this app\?<\/h1>/);
  assert.match(html, /<a class="button plain" href="\/gis\/">Stay signed in<\/a>/);
});

describe("the error page", () => {
  const buttons = {
    "sign-in": { href: "/gis/sign-in?returnTo=%2Fgis%2F", label: "Sign in" },
    "another-account": {
      href: "/gis/sign-in?returnTo=%2Fgis%2F&amp;force_login=true",
      label: "Use another account",
    },
    home: { href: "/gis/", label: "Go to the start page" },
    retry: { href: "/gis/map", label: "Try again" },
  };

  for (const code of Object.keys(nextSteps) as ErrorCode[]) {
    test(`OU-5 of ${code} has its status, text, next step, code and request id`, async () => {
      const error = errorOf(code, { cause: new Error("secret detail") });
      const { status } = error;
      const next = nextSteps[code];
      const { title, text } = pageTextsOf(code);
      const response = await page((res) => renderError(res, error, "9f1c2c1e-6c1f", "/map"), "/gis");
      assert.equal(response.status, status);
      assert.deepEqual(attributes(response.html, "data-code"), [code]);
      const shown = textOf(response.html);
      assert.ok(shown.includes(`Error ${status} ${title} ${text} ${buttons[next].label} `), shown);
      assert.ok(shown.includes(`Error code: ${code} Request ID: 9f1c2c1e-6c1f `), shown);
      assert.ok(response.html.includes(`<a class="button" href="${buttons[next].href}">`));
      assert.doesNotMatch(response.html, /secret detail|<form|<script/);
    });
  }
});

describe("assets", () => {
  test("are cached for a year under the URL that the pages use, and for a minute under any other", async () => {
    const { html } = await page((res) => renderConfirm(res, { user: sandy, csrfToken: "t" }));
    const urls = ["href", "src"]
      .flatMap((name) => attributes(html, name))
      .filter((url) => url.includes("/assets/"));
    assert.deepEqual(
      urls.map((url) => url.replace(/[0-9a-f]{12}\//, "")),
      ["/assets/favicon.svg", "/assets/app.css", "/assets/session.js"],
    );
    for (const url of urls) {
      const current = await fetch(origin + url);
      assert.equal(current.status, 200);
      assert.equal(current.headers.get("cache-control"), "public, max-age=31536000, immutable");
      for (const other of ["", "0123456789ab/"]) {
        const response = await fetch(origin + url.replace(/[0-9a-f]{12}\//, other));
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("cache-control"), "public, max-age=60", other);
      }
    }
  });

  test("HT-4 carry their types with a charset", async () => {
    for (const [name, type] of [
      ["app.css", "text/css; charset=utf-8"],
      ["session.js", "text/javascript; charset=utf-8"],
      ["favicon.svg", "image/svg+xml"],
    ]) {
      assert.equal((await fetch(`${origin}/assets/${name}`)).headers.get("content-type"), type);
    }
  });

  test("CF-6 are the files of one folder and nothing else", async () => {
    for (const path of [
      "/assets",
      "/assets/",
      "/assets/%2e%2e/home.ejs",
      "/assets/..%2fhome.ejs",
      "/assets/..%5chome.ejs",
      "/assets/%00",
      "/assets/%E0%A4%A",
      "/assets/.git/config",
      "/assets/missing.css",
    ]) {
      const response = await fetch(origin + path, { redirect: "manual" });
      assert.equal(response.status, 404, path);
    }
  });

  test("are small: all of them together take less than 16 kB", () => {
    const folder = join(viewsFolder, "assets");
    const sizes = ["app.css", "session.js", "session-watch.js", "favicon.svg"].map(
      (name) => readFileSync(join(folder, name)).length,
    );
    assert.ok(sizes.reduce((sum, size) => sum + size) < 16_384, sizes.join(" + "));
  });
});

describe("displayName", () => {
  for (const [text, shown] of [
    ["Sandy Boxwell", "Sandy Boxwell"],
    ["", ""],
    [" \t\r\n ", ""],
    ["\u202E\u2069\0", ""],
    ["Zoë 日本 <b>", "Zoë 日本 <b>"],
    ["O'Neill-García", "O'Neill-García"],
    [
      "a\u202Ab\u202Bc\u202Cd\u202De\u202Ef\u2066g\u2067h\u2068i\u2069j\u200Ek\u200Fl\u061Cm",
      "abcdefghijklm",
    ],
    ["nul\0 c0\x1B c1\x85\x9Bend\x7F", "nul c0 c1end"],
    ["line\r\nbreak\u2028and\tmore", "line break and more"],
    ["half \uD83D surrogate", "half surrogate"],
    [family, family],
    ["نیما\u200Cشاد", "نیما\u200Cشاد"],
    ["שרה כהן", "שרה כהן"],
    ["__proto__", "__proto__"],
    ["x".repeat(64), "x".repeat(64)],
    ["x".repeat(65), `${"x".repeat(63)}…`],
  ] as const) {
    test(`OU-2 of ${JSON.stringify(text.slice(0, 40))} is ${JSON.stringify(shown.slice(0, 40))}`, () => {
      assert.equal(displayName(text), shown);
    });
  }

  test("OU-2 cuts at its limit, and halves no code point", () => {
    assert.equal(displayName("\u{1F600}".repeat(4), 3), "\u{1F600}\u{1F600}…");
    assert.equal(displayName("abc", 3), "abc");
  });

  test("OU-2 a letter that carries 10,000 accents keeps a few of them", () => {
    assert.equal(displayName(`a${"\u0301".repeat(10_000)}b`), `a${"\u0301".repeat(6)}b`);
  });
});

describe("initials", () => {
  for (const [name, expected] of [
    ["Sandy Boxwell", "SB"],
    ["sandy_sandbox", "S"],
    ["Ada King Lovelace", "AL"],
    ["Zoë 日本 <b>", "Z日"],
    ["élodie o'neill", "ÉO"],
    ["e\u0301lodie", "É"],
    [family, "?"],
    [`${family} Anna`, "A"],
    ["4th Floor", "4F"],
    ["\u202Eevil", "E"],
    ["", "?"],
    ["\0", "?"],
    ["<b> --- ...", "?"],
    ["__proto__", "?"],
  ] as const) {
    test(`of ${JSON.stringify(name)} are ${expected}`, () => assert.equal(initials(name), expected));
  }
});

describe("roleName", () => {
  for (const [role, expected] of [
    ["org_admin", "Administrator"],
    ["org_publisher", "Publisher"],
    ["org_user", "Member"],
    ["Field crew", "Field crew"],
    ["\u202EField\0 crew", "Field crew"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["", ""],
    [undefined, ""],
  ] as const) {
    test(`of ${JSON.stringify(role)} is ${JSON.stringify(expected)}`, () =>
      assert.equal(roleName(role), expected));
  }
});

describe("durationText", () => {
  for (const [ms, expected] of [
    [-5000, "less than a minute"],
    [0, "less than a minute"],
    [minute - 1, "less than a minute"],
    [minute, "1 min"],
    [27 * minute + 59_999, "27 min"],
    [119 * minute, "119 min"],
    [120 * minute, "2 hours"],
    [2 * day - 1, "47 hours"],
    [2 * day, "2 days"],
    [14 * day - 1, "13 days"],
  ] as const) {
    test(`of ${ms} ms is "${expected}"`, () => assert.equal(durationText(ms), expected));
    test(`${ms} ms ago is "${expected} ago"`, () => assert.equal(agoText(ms), `${expected} ago`));
  }
});
