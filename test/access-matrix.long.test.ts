import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { type Behind, freePort, frontIsMissing, startEcho, startFront } from "./support/front-proxy.ts";
import { sendRaw } from "./support/raw.ts";
import { casesOf } from "./support/rounds.ts";
import { folder, openSite, type Site, signIn } from "./support/site.ts";
import { suiteContext } from "./support/suite.ts";

const [streets, trees, border] = [
  "5a6e64c1b2d94f0f9c1d3a7be80d5c11",
  "c0ffee21d4f84a53a7b9d7f3e1a2b3c4",
  "9e107d9d372bb6826bd81d3542a419d6",
];
const users = ["sandy_admin", "vik_viewer", "zoe_editor", "pia_publisher", "ned_county"] as const;
const visitor = "visitor";
type Who = (typeof users)[number] | typeof visitor;
const everyone: readonly Who[] = [visitor, ...users];

/** Ten rules and, written by hand, who may see what they are for. The path of the last one has no rule. */
const cases: { rule?: Record<string, unknown>; path: string; may: readonly Who[] }[] = [
  { rule: { groups: [streets] }, path: "/streets", may: ["sandy_admin", "zoe_editor"] },
  { rule: { allow: "everyone" }, path: "/about", may: everyone },
  { rule: { groups: [streets], roles: ["org_admin"] }, path: "/open/inner", may: ["sandy_admin"] },
  { rule: { allow: "everyone" }, path: "/open", may: everyone },
  { rule: {}, path: "/mine", may: users },
  { rule: { groups: [trees, border] }, path: "/trees", may: ["sandy_admin", "pia_publisher", "ned_county"] },
  { rule: { roles: ["org_admin"] }, path: "/admin", may: ["sandy_admin"] },
  {
    rule: { roles: ["Fj3kQ9tWbZx7Lm2p", "org_publisher"] },
    path: "/custom",
    may: ["zoe_editor", "pia_publisher"],
  },
  {
    rule: { privileges: ["features:user:edit"] },
    path: "/edit",
    may: ["sandy_admin", "zoe_editor", "pia_publisher", "ned_county"],
  },
  { rule: { organizations: ["FEDCBA9876543210"] }, path: "/county", may: ["ned_county"] },
  { path: "/rest", may: users },
];

interface Spelling {
  target: string;
  method?: string;
  headers?: string[];
  body?: string;
  /** Every server takes it for the file: whoever may see that may not be refused. */
  isPlain?: boolean;
}

const hex = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const allHex = (path: string) => path.split("/").map(hex).join("/");
const first = (path: string, change: (letter: string) => string) =>
  `/${change(path[1] ?? "")}${path.slice(2)}`;

/** The ways to write `{path}/Plan.html`: one of each kind first. */
function spellingsOf(path: string): Spelling[] {
  const file = `${path}/Plan.html`;
  const plain = (target: string, rest: Partial<Spelling> = {}) => ({ target, ...rest, isPlain: true });
  const odd = (target: string, rest: Partial<Spelling> = {}) => ({ target, ...rest });
  return [
    plain(file),
    plain(`${allHex(file)}?a=/../about//;%2f`),
    odd(`/about/..%2f${file.slice(1)}`),
    odd(`/about/..${file}`),
    odd(`/${file}`),
    odd(file.toUpperCase()),
    odd(`/about/..;${file}`),
    odd(file, { headers: ["X-Original-URI: /about", "X-Forwarded-Uri: /about"] }),
    plain(file, { method: "HEAD" }),
    plain(file, { method: "POST", body: "a=1" }),

    plain(`${file}?`),
    plain(first(file, hex)),
    plain(file.replace(".", "%2E")),
    plain(`${path}/%C3%9cber%20uns.html`),
    plain(`${path}/%c3%9Cber%20uns.html?%00`),
    plain(file, { method: "OPTIONS" }),
    plain(file, { headers: ["Range: bytes=0-3"] }),
    plain(file, {
      headers: ["X-HTTP-Method-Override: DELETE", "X-Rewrite-URL: /about", "X-Original-URL: /about"],
    }),
    plain(file, { method: "PUT", body: "x" }),
    plain(file, { method: "DELETE" }),
    odd(file, { method: "PROPFIND" }),
    odd(file, { headers: ["X-Original-URI: /about"] }),
    odd(file, { headers: ["X-Forwarded-Uri: /about", "X-Forwarded-Method: GET"] }),
    odd(file, { headers: ["Connection: close, X-Forwarded-Uri, X-Original-URI, Cookie"] }),
    odd(`http://localhost${file}`),
    odd(`http://localhost/about/..${file}`),
    odd(`${path}//Plan.html`),
    odd(`/.${file}`),
    odd(`${path}/./Plan.html`),
    odd(`/nothing/..${file}`),
    odd(`/about/%2e%2e${file}`),
    odd(`/about/%2E.${file}`),
    odd(`/about/.%2e${file}`),
    odd(`/about%2f..${file}`),
    odd(`/about/..%5c${file.slice(1)}`),
    odd(`/about/..\\${file.slice(1)}`),
    odd(`\\${file.slice(1)}`),
    odd(`${path}%2fPlan.html`),
    odd(`/%2f${file.slice(1)}`),
    odd(`${path};a=1/Plan.html`),
    odd(`${file};a=1`),
    odd(`/about;/..${file}`),
    odd(`/about/..%3b${file}`),
    odd(`${file}%00`),
    odd(`/about%00${file}`),
    odd(`/about/%252e%252e${file}`),
    odd(first(file, (letter) => hex(hex(letter)[0] ?? "").concat(hex(letter).slice(1)))),
    odd(`/about/..%c0%af${file.slice(1)}`),
    odd(first(file, (letter) => `%c1%${(letter.charCodeAt(0) + 0x40).toString(16).slice(-2)}`)),
    odd(first(file, (letter) => hex(String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)))),
    odd(`/%ef%bc%8f${file.slice(1)}`),
    odd(`${file}.`),
    odd(`${path}./Plan.html`),
    odd(`${path}%20/Plan.html`),
    odd(`${path}::$INDEX_ALLOCATION/Plan.html`),
    odd(`${file}::$DATA`),
    odd(first(file, (letter) => letter.toUpperCase())),
    odd(`${path}/plan.html`),
    odd(`/about#/..${file}`),
    odd(`/about?/..${file}`),
    odd(`${path}/\u00fc.html`),
    odd(`/about\t${file}`),
    odd(file.slice(1)),
    odd(`${path}/`),
    odd(path),
  ];
}

/** What servers may take a path for: decoded up to three times, with all the liberties that some take. */
function readingsOf(target: string): string[] {
  const readings = new Set<string>();
  let text = target.split(/[?#]/, 1)[0] ?? "";
  for (let times = 0; times < 4; times++) {
    for (const withoutParameters of [text, text.replace(/;[^/\\]*/g, "")]) {
      const slashes = withoutParameters.replaceAll("\\", "/").replace(/\/+/g, "/");
      const path = new URL(`http://h${encodeURI(slashes).replaceAll("%25", "%")}`).pathname;
      readings.add(decodeURI(path.replace(/%(?![\da-f]{2})/gi, "%25")).toLowerCase());
    }
    text = text.replace(/%([\da-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  }
  return [...readings];
}

const ruleFor = (path: string) =>
  cases.find((each) => path === each.path || path.startsWith(`${each.path}/`)) ?? {
    path: "nothing",
    may: users,
  };

let site: Site;
let app: Awaited<ReturnType<typeof startEcho>>;
let root: string;
const cookies = new Map<Who, string>();

const t = suiteContext();
before(async () => {
  const ACCESS = cases.flatMap(({ rule, path }) => (rule ? [{ path, ...rule }] : []));
  site = await openSite(t, { settings: { TRUST_PROXY: "127.0.0.1", ACCESS, LOG_LEVEL: "silent" } });
  app = await startEcho(t);
  root = folder(t);
  for (const { path } of cases) {
    mkdirSync(join(root, path), { recursive: true });
    for (const name of ["Plan.html", "Über uns.html"])
      writeFileSync(join(root, path, name), `<p>secret of ${path}</p>`);
  }
  for (const who of users) {
    const browser = site.browser();
    await signIn(browser, who);
    cookies.set(who, [...browser.cookies].map((pair) => pair.join("=")).join("; "));
  }
});

async function send(url: string, who: Who, { target, method = "GET", headers = [], body }: Spelling) {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: localhost", "Accept: application/json", ...headers];
  const cookie = cookies.get(who);
  if (cookie) lines.push(`Cookie: ${cookie}`);
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  if (!headers.some((line) => line.startsWith("Connection"))) lines.push("Connection: close");
  return sendRaw(url, `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`);
}

for (const proxy of ["nginx", "caddy"] as const) {
  for (const target of ["folder", "app"] as const) {
    describe(`AC-10 behind ${proxy}, in front of ${target === "app" ? "an app" : "a folder"}`, {
      skip: frontIsMissing(proxy),
    }, () => {
      let url: string;
      before(async () => {
        const behind: Behind = target === "folder" ? { folder: root } : { app: app.url };
        url = await startFront(t, proxy, { port: await freePort(), signIn: site.url, behind });
      });

      for (const { path, may } of casesOf(cases, 3)) {
        test(`${path}: no byte for those who may not see it, in any spelling, and no refusal for those who may`, async () => {
          for (const spelling of casesOf(spellingsOf(path), 10)) {
            for (const who of casesOf(everyone, 3)) {
              app.received.length = 0;
              const { status, text } = await send(url, who, spelling);
              const what = `${spelling.method ?? "GET"} ${JSON.stringify(spelling)} of ${who}: ${text.slice(0, 600)}`;
              for (const [, of = ""] of text.matchAll(/secret of (.*?)</g))
                assert.ok(ruleFor(of).may.includes(who), `a file, ${what}`);
              for (const received of app.received) {
                for (const reading of readingsOf(received.url))
                  assert.ok(ruleFor(reading).may.includes(who), `the app, for ${reading}, ${what}`);
                const name = received.headers["x-auth-request-user"] || visitor;
                // Where everyone may see a path, the app is told no user.
                assert.ok(
                  name === who ||
                    (name === visitor && !spelling.isPlain) ||
                    (name === visitor && may === everyone),
                  what,
                );
              }
              if (!spelling.isPlain || !may.includes(who)) continue;
              const isRead = ["GET", "HEAD"].includes(spelling.method ?? "GET");
              if (target === "app") assert.equal(app.received.length, 1, what);
              else if (isRead) assert.ok([200, 206].includes(status), what);
              else assert.ok([200, 204, 405].includes(status), what);
            }
          }
        });
      }
    });
  }
}

test("there are sixty spellings and more, ten rules and five users", () => {
  assert.ok(spellingsOf("/streets").length >= 60);
  assert.equal(cases.filter(({ rule }) => rule).length, 10);
  assert.equal(users.length, 5);
});
