import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accessOf } from "#src/app/access.ts";
import { ConfigError, parseConfig } from "#src/app/config/config.ts";
import { requestPath } from "#src/app/request-path.ts";
import type { ArcGISContext, AuthError, UserProfile } from "#src/index.ts";
import { secret } from "./support/temporary.ts";

const streets = "5a6e64c1b2d94f0f9c1d3a7be80d5c11";
const trees = "c0ffee21d4f84a53a7b9d7f3e1a2b3c4";

const user = (rights: Partial<UserProfile> = {}): UserProfile => ({
  ...{ username: "u", fullName: "U", privileges: [], groups: [], fetchedAt: 0 },
  ...rights,
});
const member = (...ids: string[]) => user({ groups: ids.map((id) => ({ id, title: "" })) });

function parse(ACCESS: unknown) {
  return parseConfig({
    CLIENT_ID: "test-app",
    PORTAL_URL: "https://gis.example.com/portal",
    REDIRECT_URI: "http://localhost:3000/authenticate",
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    ACCESS,
  }).access;
}

function problemsOf(ACCESS: unknown): string[] {
  try {
    parse(ACCESS);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : assert.fail(String(error));
  }
}

/** The decision, and the path of the rule that made it. */
function judged(rules: unknown, path: string, who?: UserProfile): [string, string?] {
  const { rule, refusal } = accessOf(parse(rules)).judge(path, who);
  if (refusal?.code === "ambiguous_path") return [refusal.code];
  const decision = refusal ? (refusal.status === 401 ? "sign_in" : "forbidden") : "allow";
  return rule ? [decision, rule.path] : [decision];
}

describe("AC-1 the rules of ACCESS", () => {
  const rules = [
    { path: "/about", allow: "everyone" },
    { path: "/plans/drafts", groups: [streets, trees] },
    { path: "/plans", roles: ["org_admin", "Fj3kQ9tWbZx7Lm2p"], organizations: ["0123456789ABCDEF"] },
    { path: "/edit", privileges: ["features:user:edit", "portal:user:createItem"] },
    { path: "/mine/" },
    { path: "/Übersicht", groups: [streets] },
  ];
  const admin = { role: "org_admin", orgId: "0123456789ABCDEF" };

  for (const [path, who, expected] of [
    ["/about", undefined, ["allow", "/about"]],
    ["/about/", undefined, ["allow", "/about"]],
    ["/about/us?x=/plans", undefined, ["allow", "/about"]],
    ["/aboutus", undefined, ["sign_in"]],
    ["/", undefined, ["sign_in"]],
    ["/", user(), ["allow"]],
    ["/mine", undefined, ["sign_in", "/mine"]],
    ["/mine", user(), ["allow", "/mine"]],
    ["/plans/drafts/1", undefined, ["sign_in", "/plans/drafts"]],
    ["/plans/drafts/1", member(trees), ["allow", "/plans/drafts"]],
    ["/plans/drafts/1", user(admin), ["forbidden", "/plans/drafts"]],
    ["/plans/drafts/1", member("c0ffee"), ["forbidden", "/plans/drafts"]],
    ["/plans/draftsman", member(trees), ["forbidden", "/plans"]],
    ["/plans", user(admin), ["allow", "/plans"]],
    ["/plans", user({ ...admin, role: "org_user", roleId: "Fj3kQ9tWbZx7Lm2p" }), ["allow", "/plans"]],
    ["/plans", user({ ...admin, orgId: "FEDCBA9876543210" }), ["forbidden", "/plans"]],
    ["/plans", user({ ...admin, orgId: undefined }), ["forbidden", "/plans"]],
    ["/plans", user({ ...admin, role: "org_user" }), ["forbidden", "/plans"]],
    ["/edit/1", user({ privileges: ["portal:user:createItem"] }), ["allow", "/edit"]],
    ["/edit/1", user(), ["forbidden", "/edit"]],
    ["/edit/1", user({ privileges: ["portal:user:shareToGroup"] }), ["forbidden", "/edit"]],
    ["/%C3%9Cbersicht", user(), ["forbidden", "/Übersicht"]],
    ["/%C3%9Cbersicht/1", member(streets), ["allow", "/Übersicht"]],
  ] as const) {
    test(`${path}: ${expected.join(" by ")}`, () => assert.deepEqual(judged(rules, path, who), expected));
  }

  test("a refusal says what is missing, as the guards do", () => {
    const { judge } = accessOf(parse(rules));
    const { code, needed } = judge("/plans/drafts", user()).refusal as AuthError;
    assert.deepEqual([code, needed], ["group_missing", [streets, trees]]);
    assert.equal(judge("/plans", user({ orgId: "0123456789ABCDEF" })).refusal?.code, "role_missing");
    assert.equal(judge("/plans", user()).refusal?.code, "organization_not_allowed");
    assert.equal(judge("/edit", user()).refusal?.code, "privilege_missing");
  });

  test("a session is not read where everyone may see the path, nor for a path that is refused", async () => {
    const { admit } = accessOf(parse(rules));
    const contextOf = () => assert.fail("the session is read");
    assert.equal(await admit("/about", contextOf), undefined);
    await assert.rejects(admit("/about//", contextOf), { code: "ambiguous_path", status: 403 });
  });

  test("rights are judged by the profile that authorize gives, which is asked for a current one", async () => {
    const { admit } = accessOf(parse(rules));
    const context = (who: UserProfile) => async () => {
      const authorize = async (needsRights?: boolean) => (needsRights ? who : user());
      return { authorize } as ArcGISContext;
    };
    const who = member(streets);
    assert.equal(await admit("/plans/drafts", context(who)), who);
    await assert.rejects(admit("/edit", context(who)), { code: "privilege_missing", status: 403 });
  });
});

/** Paths that servers may read in two ways. */
const ambiguous = [
  ...[
    "",
    "about",
    "http://h/about",
    "*",
    "//",
    "//about",
    "/a//b",
    "/a//",
    "/./a",
    "/a/.",
    "/a/..",
    "/a/../b",
  ],
  ...[
    "/%2e%2e/a",
    "/a/%2E/b",
    "/.%2e/a",
    "/a/..;/b",
    "/a;x=1",
    "/a%3Bx",
    "/a\\b",
    "/a%5cb",
    "/a%2Fb",
    "/a%2fb",
  ],
  ...[
    "/%252e/a",
    "/a%252fb",
    "/%2561",
    "/a%00",
    "/a%0d%0a",
    "/a%7f",
    "/a%1f",
    "/a\tb",
    "/a b",
    "/a\u00fc",
    "/ü",
  ],
  ...["/%", "/%zz", "/%u0061", "/a%", "/%ff", "/%fc", "/%c0%af", "/%c1%9c", "/%e0%80%af", "/%f0%80%80%af"],
  ...[
    "/%ed%a0%80",
    "/%f4%90%80%80",
    "/%c3",
    "/a%20",
    "/a%20/b",
    "/a%20./b",
    "/.../a",
    "/a/...",
    "/%20/a",
    "/a/.%20",
  ],
  ...[
    "/a/:x/b",
    "/:",
    "/%ef%bc%8f",
    "/a%ef%bc%8fb",
    "/%ef%bc%bc",
    "/%e2%80%a5/a",
    "/%e2%80%a6",
    "/%ef%bc%9b",
  ],
  ...["/a%c2%a5b", "/a%e2%88%95b", "/a#b", "/a#/../b"],
  ...["/progra~1", "/PRIVAT~1/x", "/a/B1C2~12.htm", "/progra~1./x", "/%e2%80%8b/a", "/.%e2%80%8d./a"],
];

test("AC-2 a path that servers may read in two ways is refused, even where everyone may see everything", () => {
  for (const path of ambiguous) {
    assert.deepEqual(judged([{ path: "/", allow: "everyone" }], path), ["ambiguous_path"], path);
  }
});

test("AC-2 a path is decoded once, and other characters stay what they are", () => {
  for (const [target, exact] of [
    ["/%61bout?%2f//..", "/about"],
    ["/a%2Eb%7e", "/a.b~"],
    ["/100%25", "/100%"],
    ["/a+b,c=d@e!$&'()*", "/a+b,c=d@e!$&'()*"],
    ["/%E6%97%A5/%F0%9F%8C%B3", "/日/🌳"],
    ["/Mehr%e2%80%a6.html", "/Mehr….html"],
    ["/u%CC%88", "/u\u0308"],
    ["/.well-known/a..b", "/.well-known/a..b"],
    ["/~user/a~b/~1", "/~user/a~b/~1"],
    ["/main~12345678.js", "/main~12345678.js"],
    ["/a%20b/%5B1%5D", "/a b/[1]"],
  ]) {
    assert.equal(requestPath(target ?? "")?.exact, exact, target);
  }
});

test("AC-3 a rule protects every spelling that some server takes for its path, and opens its own alone", () => {
  const rules = [
    { path: "/admin", groups: [streets] },
    { path: "/open", allow: "everyone" },
    { path: "/", allow: "everyone" },
  ];
  for (const path of [
    ...[
      "/ADMIN",
      "/Admin/x",
      "/%61dmin",
      "/admin.",
      "/admin.../x",
      "/admin%20.",
      "/admin::$DATA",
      "/admin:x/y",
      "/ad%E2%80%8Cmin",
      "/admin%EF%BB%BF./x",
    ],
    ...[
      "/%EF%BD%81dmin",
      "/ADM%C4%B0N".replace("%C4%B0", "I"),
      "/adm%C2%AAn".replace("%C2%AA", "i"),
      "/admin.:x",
      "/admin%3Fx",
      "/admin.%23/x",
    ],
  ].filter((path) => requestPath(path))) {
    assert.deepEqual(judged(rules, path), ["sign_in", "/admin"], path);
    assert.deepEqual(judged(rules, path, user()), ["forbidden", "/admin"], path);
    assert.deepEqual(judged(rules, path, member(streets))[0], "allow", path);
  }
  const capital = [{ path: "/Open", allow: "everyone" }];
  assert.deepEqual([judged(capital, "/Open"), judged(capital, "/open")], [["allow", "/Open"], ["sign_in"]]);
  const closed = [{ path: "/open", allow: "everyone" }];
  assert.deepEqual(judged(closed, "/open/x"), ["allow", "/open"]);
  for (const path of ["/OPEN", "/open./x", "/%EF%BD%8Fpen", "/open:x", "/open%3Fx"]) {
    assert.deepEqual(judged(closed, path), ["sign_in"], path);
    assert.deepEqual(judged(closed, path, user()), ["allow"], path);
  }
});

test("AC-3 a rule protects letters with several small forms, and accents that something invisible separates", () => {
  for (const [path, ...others] of [
    ["/εργασίες.html", "/ΕΡΓΑΣΊΕΣ.HTML", "/εργασίεσ.html"],
    ["/admin", "/admın", "/admİn", "/ADMİN"],
    ["/İstanbul", "/istanbul", "/i̇stanbul"],
    ["/straße", "/STRASSE", "/STRAẞE"],
    ["/admin", "/adm\u034fin", "/admin\ufe0f", "/ad\u3164min"],
    ["/café", "/cafe\u0301", "/cafe\u200c\u0301", "/CAFE\u0301"],
    ["/ǰ", "/J\u030c"],
  ])
    for (const other of others) {
      const rules = [{ path: path ?? "", groups: [streets] }];
      assert.deepEqual(judged(rules, encodeURI(other), user()), ["forbidden", path], other);
    }
  assert.equal(requestPath(encodeURI("/STRAßE~1.PDF")), undefined, "a short name");
});

test("AC-3 where two rules differ in case only, each protects both spellings", () => {
  const rules = [
    { path: "/Docs", groups: [streets] },
    { path: "/docs", groups: [trees] },
  ];
  assert.deepEqual(judged(rules, "/docs", member(trees))[0], "forbidden");
  assert.deepEqual(judged(rules, "/docs", member(streets))[0], "forbidden");
  assert.deepEqual(judged(rules, "/docs", member(streets, trees))[0], "allow");
});

describe("AC-4 ACCESS is checked at the start", () => {
  test("every mistake is listed, with its fix and without its value", () => {
    const problems = problemsOf([
      { path: "about", allow: "everyone" },
      { path: "/a//b", allow: "everybody" },
      { path: "/a%20b", groups: [] },
      {
        path: "/b",
        groups: ["Streets"],
        roles: ["Administrator"],
        privileges: ["edit"],
        organizations: ["a b"],
      },
      { path: "/c", allow: "everyone", groups: [streets] },
      { path: "/d", users: ["sandy"] },
      { path: "/e", group: [streets] },
      { groups: [streets] },
      "x",
      { path: "/b/c" },
    ]);
    assert.deepEqual(
      problems.map((line) => line.replace("ACCESS: ", "").replace(/\. .*/, "")),
      [
        'value 1 (path) does not begin with "/"',
        'value 2 (path) contains ";", "\\", "//" or a segment of dots',
        'value 2 (allow) must be "everyone"',
        "value 3 (path) contains one of % ? # *, which a plain path cannot have",
        "value 3 (groups) is an empty list",
        "value 4 (organizations) is not the ID of an organization",
        "value 4 (roles) is not a role",
        "value 4 (privileges) is not a privilege",
        "value 4 (groups) is not the ID of a group",
        "value 5 (allow) lets everyone in, so the rule cannot name users as well",
        "value 6 has an unknown key",
        "value 7 has an unknown key, group",
        "value 8 (path) is missing",
        "value 9 must be an object",
        "value 10 (path) is never used, because value 4 covers its path",
      ],
    );
  });

  test("a rule that an earlier one covers can never match", () => {
    const covers = (...paths: string[]) => problemsOf(paths.map((path) => ({ path }))).length;
    assert.equal(covers("/", "/a"), 1);
    assert.equal(covers("/a", "/a/"), 1);
    assert.equal(covers("/a", "/b", "/b/c", "/a/d"), 2);
    assert.equal(covers("/a/b", "/a", "/ab", "/A", "/"), 0);
  });

  test("it may be text in JSON, and is empty by default", () => {
    assert.deepEqual(parse('[{"path":"/a/"}]'), [{ path: "/a" }]);
    assert.deepEqual(parse(undefined), []);
    assert.deepEqual(parse([]), []);
    assert.match(problemsOf("/a,/b")[0] ?? "", /^ACCESS: must be an array of rules\. /);
    assert.match(problemsOf({ path: "/a" })[0] ?? "", /^ACCESS: must be an array of rules\. /);
  });
});
