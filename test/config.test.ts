import assert from "node:assert/strict";
import crypto from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ConfigError, configKeys, loadConfig, parseConfig } from "#src/app/config/config.ts";
import { parseRedisUrl } from "#src/app/config/redis-url.ts";
import { newSecret } from "#src/app/config/secrets.ts";
import { needsPosix } from "./support/posix.ts";

const root = mkdtempSync(join(tmpdir(), "config-test-"));
after(() => rmSync(root, { recursive: true }));

const make = `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`;
const good = {
  CLIENT_ID: "aBcDeF0123456789",
  SESSION_SECRET: "kQ3vT9xw-Lm2ZrB7_hYc5NfJ8sGdPa1uXe6oViRt4Ew",
  ENCRYPTION_KEY: "Zp8-Uj4nHy1Kc7MqWa_3LfTx9RbVs2Gd6EoIhJtN5kY",
  REDIRECT_URI: "http://localhost:3000/authenticate",
};
const anotherSecret = "f3b9170c5ae84d26b1c07e9a4f68d25310be7c94a86df2e1";

interface Place {
  config?: unknown;
  dotenv?: string;
  env?: Record<string, string>;
}

/** A folder with these files in it, only their owner may open them; a text as `config` is written as it is. */
function folder({ config, dotenv }: Place): string {
  const cwd = mkdtempSync(join(root, "case-"));
  const text = typeof config === "string" ? config : JSON.stringify(config);
  if (config !== undefined) writeFileSync(join(cwd, "config.json"), text, { mode: 0o600 });
  if (dotenv !== undefined) writeFileSync(join(cwd, ".env"), dotenv, { mode: 0o600 });
  return cwd;
}

const load = (place: Place) => loadConfig({ cwd: folder(place), env: place.env ?? {} });

function failure(start: () => unknown): ConfigError {
  try {
    start();
  } catch (error) {
    assert.ok(error instanceof ConfigError, `not a ConfigError: ${error}`);
    return error;
  }
  assert.fail("the configuration was accepted");
}

const problemsIn = (place: Place) => failure(() => load(place)).problems;
/** The problems of a good configuration with these changes; none when it is accepted. */
function problemsWith(changes: Record<string, unknown>): string[] {
  try {
    parseConfig({ ...good, ...changes });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

describe("where settings come from", () => {
  test("the four required settings alone give every default of the contract", () => {
    const cwd = folder({ config: good });
    assert.deepEqual(loadConfig({ cwd, env: {} }), {
      clientId: good.CLIENT_ID,
      clientSecret: undefined,
      portal: "https://www.arcgis.com/sharing/rest",
      portalId: "main",
      portalPath: "",
      portalServerUrl: undefined,
      portalTitle: "ArcGIS Online",
      furtherPortals: [],
      redirectUri: good.REDIRECT_URI,
      origin: "http://localhost:3000",
      callbackPath: "/authenticate",
      cookieName: "arcgis.sid",
      secure: false,
      sessionSecrets: [good.SESSION_SECRET],
      encryptionKeys: [good.ENCRYPTION_KEY],
      host: "127.0.0.1",
      port: 3000,
      sessionDir: join(cwd, "sessions"),
      redisUrl: undefined,
      sessionIdleSeconds: 1_209_600,
      sessionMaxSeconds: 2_592_000,
      tokenExpirationMinutes: 20_160,
      pkce: true,
      trustProxy: false,
      allowedOrgs: [],
      access: [],
      isInFront: false,
      proxyAllow: [],
      proxyMaxBytes: 268_435_456,
      proxyTimeoutSeconds: 60,
      tokenHandover: false,
      embedOrigins: [],
      alsoSignOutPortal: false,
      mapLayers: [],
      mapTiles: undefined,
      appName: "ArcGIS Sign-In",
      appLogo: undefined,
      appColor: undefined,
      viewsDir: undefined,
      autoSignIn: false,
      siteDir: undefined,
      siteFallback: false,
      siteCsp: undefined,
      rateLimit: 60,
      logLevel: "info",
      metrics: "loopback",
      keepAliveSeconds: 5,
      securityContact: undefined,
      sessionSecretFile: undefined,
      encryptionKeyFile: undefined,
      clientSecretFile: undefined,
      redisUrlFile: undefined,
    });
  });

  test(".env wins over config.json, and the environment over .env", () => {
    const config = load({
      config: { ...good, PORT: 1001, HOST: "one.test", LOG_LEVEL: "warn" },
      dotenv: 'PORT=1002\nHOST="two.test" # a comment',
      env: { PORT: "1003", PATH: "/bin", toString: "not ours" },
    });
    assert.deepEqual([config.port, config.host, config.logLevel], [1003, "two.test", "warn"]);
  });

  test("an empty value is no value: what an earlier place says stays, a default too", () => {
    const config = load({
      config: { ...good, PORT: 1001, CLIENT_SECRET: null, ALLOWED_ORGS: "" },
      env: { PORT: " ", LOG_LEVEL: "" },
    });
    assert.deepEqual(
      [config.port, config.logLevel, config.clientSecret, config.allowedOrgs],
      [1001, "info", undefined, []],
    );
  });

  test("without any file the environment is enough", () => {
    assert.equal(load({ env: good }).clientId, good.CLIENT_ID);
  });

  test("text and JSON types mean the same", () => {
    const asText = {
      PKCE: "false",
      PORT: "0",
      TRUST_PROXY: "2",
      ALLOWED_ORGS: "abc, def,",
      RATE_LIMIT: "10",
      TOKEN_HANDOVER: "true",
    };
    const asJson = {
      PKCE: false,
      PORT: 0,
      TRUST_PROXY: 2,
      ALLOWED_ORGS: ["abc", "def"],
      RATE_LIMIT: 10,
      TOKEN_HANDOVER: true,
    };
    assert.deepEqual(parseConfig({ ...good, ...asText }), parseConfig({ ...good, ...asJson }));
    assert.equal(parseConfig({ ...good, RATE_LIMIT: "off" }).rateLimit, false);
  });

  test("CONFIG_FILE names another file, in the environment or in .env", () => {
    const cwd = folder({ config: "not JSON" });
    mkdirSync(join(cwd, "etc"));
    writeFileSync(join(cwd, "etc/app.json"), JSON.stringify(good), { mode: 0o600 });
    assert.equal(loadConfig({ cwd, env: { CONFIG_FILE: "etc/app.json" } }).clientId, good.CLIENT_ID);
    writeFileSync(join(cwd, ".env"), `CONFIG_FILE=${join(cwd, "etc/app.json")}`);
    assert.equal(loadConfig({ cwd, env: {} }).clientId, good.CLIENT_ID);
  });

  test("a CONFIG_FILE that is not there is a problem, and what might be in it is not called missing", () => {
    assert.deepEqual(problemsIn({ env: { CONFIG_FILE: "gone.json", PORT: "x" } }), [
      "CONFIG_FILE (--config): gone.json does not exist. Correct the path, or leave it out to use config.json.",
      "PORT: must be a whole number from 0 to 65535. Write it in digits. (set in the environment)",
    ]);
  });

  test("SESSION_DIR is taken from the working directory; an absolute one stays", () => {
    const cwd = folder({ config: { ...good, SESSION_DIR: "./data/../kept" } });
    assert.equal(loadConfig({ cwd, env: {} }).sessionDir, join(cwd, "kept"));
    assert.equal(parseConfig({ ...good, SESSION_DIR: root }).sessionDir, root);
  });

  test("loading leaves process.env alone", () => {
    const before = { ...process.env };
    load({ config: good, dotenv: "LOG_LEVEL=debug" });
    assert.deepEqual({ ...process.env }, before);
  });

  test("a byte order mark, as Windows editors write it, does no harm", () => {
    const bom = "\uFEFF";
    const config = load({ config: bom + JSON.stringify(good), dotenv: `${bom}PORT=1234` });
    assert.equal(config.port, 1234);
  });
});

describe("what a user is told", () => {
  test("with nothing configured every required key is named, and the two commands to begin with", () => {
    const error = failure(() => load({ env: { PORT: "3000" } }));
    assert.deepEqual(error.problems, [
      "CLIENT_ID: is missing. Copy the client ID from the OAuth credentials item in your portal.",
      `SESSION_SECRET: is missing. ${make}`,
      `ENCRYPTION_KEY: is missing. ${make}`,
      "REDIRECT_URI: is missing. Enter the redirect URI exactly as it is registered in the OAuth credentials item, such as http://localhost:3000/authenticate.",
    ]);
    assert.equal(
      error.hint,
      "Nothing is configured yet: `npm run init` writes a config.json, and `npm run demo` needs none.\n" +
        "Is the configuration elsewhere? Set CONFIG_FILE (--config FILE).",
    );
    assert.equal(error.message, [...error.problems, error.hint].join("\n"));
  });

  test("with something configured there is no such hint", () => {
    assert.equal(failure(() => load({ config: { CLIENT_ID: "abc" } })).hint, undefined);
    assert.equal(failure(() => load({ config: "{" })).hint, undefined);
  });

  test("all problems come at once, one line each, with the place they come from", () => {
    const problems = problemsIn({
      config: { ...good, CLIENT_ID: "a b", PORT: 70000, sesionSecret: "x", SESSION_IDLE_SECONDS: 99 },
      dotenv: "PKCE=yes\nCOLOUR=",
      env: { SESSION_MAX_SECONDS: "98", LOG_LEVEL: "loud" },
    });
    assert.deepEqual(problems, [
      "CLIENT_ID: is not a client ID. Copy the client ID from the OAuth credentials item in your portal. (set in config.json)",
      "PORT: must be a whole number from 0 to 65535. Write it in digits. (set in config.json)",
      "PKCE: is not a boolean. Use true or false. (set in .env)",
      "LOG_LEVEL: is not a log level. Use one of trace, debug, info, warn, error, fatal, silent. (set in the environment)",
      "sesionSecret: is not a setting. Did you mean SESSION_SECRET? (set in config.json)",
      "COLOUR: is not a setting. Remove it; docs/configuration.md lists the settings. (set in .env)",
      "SESSION_IDLE_SECONDS: must not be more than SESSION_MAX_SECONDS. Set both (their defaults are 14 and 30 days). (set in config.json)",
    ]);
    for (const line of problems) assert.doesNotMatch(line, /[\r\n]/);
  });

  for (const [written, meant] of [
    ["clientId", "CLIENT_ID"],
    ["REDIRECT_URL", "REDIRECT_URI"],
    ["PORTAL", "PORTAL_URL"],
    ["ENCRYPTION_KEYS", "ENCRYPTION_KEY"],
    ["trust-proxy", "TRUST_PROXY"],
  ] as const) {
    test(`${written} in config.json is an error that names ${meant}`, () => {
      assert.deepEqual(problemsIn({ config: { ...good, [written]: "x" } }), [
        `${written}: is not a setting. Did you mean ${meant}? (set in config.json)`,
      ]);
    });
  }

  test("a variable of Node.js in .env would do nothing, and is told to belong into the environment", () => {
    assert.deepEqual(problemsIn({ config: good, dotenv: "NODE_EXTRA_CA_CERTS=ca.pem" }), [
      "NODE_EXTRA_CA_CERTS: is read by Node.js itself. Set it in the environment instead. (set in .env)",
    ]);
  });

  test("CF-1 a key that may be a secret, or that could write on a terminal, is not shown", () => {
    const hidden =
      "A key that is not shown here: is not a setting. Remove it; docs/configuration.md lists the settings. (set in config.json)";
    for (const key of [anotherSecret, "PORT\n", "PORT\u001b[31m", "PORT\u00a0"])
      assert.deepEqual(problemsIn({ config: { ...good, [key]: 1 } }), [hidden]);
  });

  test("__proto__ and constructor in config.json are unknown settings like any other", () => {
    const config = `{"__proto__": {"PORT": 1}, "constructor": 1, ${JSON.stringify(good).slice(1)}`;
    assert.deepEqual(problemsIn({ config }), [
      "__proto__: is not a setting. Remove it; docs/configuration.md lists the settings. (set in config.json)",
      "constructor: is not a setting. Remove it; docs/configuration.md lists the settings. (set in config.json)",
    ]);
  });

  for (const [what, text, place] of [
    ["a comma too many", '{\n  "CLIENT_ID": "a",\n}', "line 3, column 1"],
    ["a missing comma", '{\n  "PORT": 1\n  "HOST": "b"\n}', "line 3, column 3"],
    ["a missing quote", '{\n  "PORT": 1,\n  "HOST": b\n}', "line 3, column 11"],
    ["a comment", '// mine\n{ "PORT": 1 }', "line 1, column 1"],
    ["a sudden end", '{\n  "ALLOWED_ORGS": ["a", "b"', "line 2, column 28"],
    ["a number of its own kind", '{"PORT": 0x10}', "line 1, column 11"],
    [
      "something after the end",
      '{"PORT": {"a": [1, -2.5e3, true, "\\u00e9\\n"], "b": {}, "c": []}}\n}',
      "line 2, column 1",
    ],
    ["nothing in the file", "", "line 1, column 1"],
  ] as const) {
    test(`${what} in config.json is shown by line and column`, () => {
      assert.deepEqual(problemsIn({ config: text }), [
        `config.json: is not valid JSON (${place}). Check the quotes and commas there, and write / or \\\\ for a backslash.`,
      ]);
    });
  }

  for (const text of ["[]", "null", '"text"', "3"]) {
    test(`a config.json with ${text} in it must hold an object`, () => {
      assert.deepEqual(problemsIn({ config: text }), [
        "config.json: must contain one JSON object. Begin it with { and end it with }.",
      ]);
    });
  }

  test("a config.json or .env that cannot be read says so", () => {
    const cwd = folder({});
    mkdirSync(join(cwd, "config.json"));
    mkdirSync(join(cwd, ".env"));
    assert.deepEqual(failure(() => loadConfig({ cwd, env: {} })).problems, [
      "config.json: cannot be read (EISDIR). Let the server's user read it, or remove it.",
      ".env: cannot be read (EISDIR). Let the server's user read it, or remove it.",
    ]);
  });

  test("the table of keys has every key of the contract, in order, with its default", () => {
    assert.deepEqual(
      configKeys.map(({ key, default: value }) => `${key} ${value}`),
      [
        "CLIENT_ID required",
        "SESSION_SECRET required",
        "ENCRYPTION_KEY required",
        "SESSION_SECRET_FILE unset",
        "ENCRYPTION_KEY_FILE unset",
        "REDIRECT_URI required",
        "PORTAL_URL https://www.arcgis.com/sharing/rest",
        "PORTAL_SERVER_URL unset",
        "PORTALS unset",
        "PORT 3000",
        "HOST 127.0.0.1",
        "SESSION_DIR ./sessions",
        "COOKIE_NAME arcgis.sid",
        "REDIS_URL unset",
        "REDIS_URL_FILE unset",
        "SESSION_IDLE_SECONDS 1209600",
        "SESSION_MAX_SECONDS 2592000",
        "TOKEN_EXPIRATION_MINUTES 20160",
        "PKCE true",
        "TRUST_PROXY false",
        "KEEP_ALIVE_SECONDS unset",
        "CLIENT_SECRET unset",
        "CLIENT_SECRET_FILE unset",
        "TOKEN_HANDOVER false",
        "EMBED_ORIGINS unset",
        "ALSO_SIGN_OUT_PORTAL false",
        "AUTO_SIGN_IN false",
        "ALLOWED_ORGS unset",
        "ACCESS unset",
        "PROXY_ALLOW unset",
        "PROXY_MAX_BYTES 268435456",
        "PROXY_TIMEOUT_SECONDS 60",
        "MAP_LAYERS unset",
        "MAP_TILES unset",
        "SITE_DIR unset",
        "SITE_FALLBACK false",
        "SITE_CSP unset",
        "APP_NAME ArcGIS Sign-In",
        "APP_LOGO unset",
        "APP_COLOR unset",
        "VIEWS_DIR unset",
        "RATE_LIMIT 60",
        "LOG_LEVEL info",
        "METRICS loopback",
        "SECURITY_CONTACT unset",
      ],
    );
    for (const { key, meaning } of configKeys) assert.notEqual(meaning, "", key);
  });
});

describe("secrets", () => {
  for (const key of ["SESSION_SECRET", "ENCRYPTION_KEY"]) {
    for (const [what, value, problem] of [
      ["a short one", good.CLIENT_ID, "is shorter than 32 characters."],
      ["31 characters", good.SESSION_SECRET.slice(0, 31), "is shorter than 32 characters."],
      ["changeme", "changeme", "is a placeholder."],
      ["a long changeme", "change-me-change-me-change-me-change-me", "is a placeholder."],
      ["your-...", "your-long-and-random-session-text-here", "is a placeholder."],
      ["<...>", "<a long random text that you made up>", "is a placeholder."],
      ["{...}", "{machine.domain.com/0123456789abcdef}", "is a placeholder."],
      ["xxxx...", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "is a placeholder."],
      ["one character again and again", "a".repeat(40), "is too easy to guess."],
      ["very many of one character", "a".repeat(100_000), "is too easy to guess."],
      ["a pattern again and again", "kJ8#mP2$".repeat(5), "is too easy to guess."],
      ["the alphabet", "abcdefghijklmnopqrstuvwxyz0123456789", "is too easy to guess."],
      ["counting", "0123456789012345678901234567890123", "is too easy to guess."],
      ["few characters at the end of a run", `${"a".repeat(28)}Z9x!qwe2`, "is too easy to guess."],
      ["a name for itself", "my-super-long-session-secret-number-1", "is too easy to guess."],
    ] as const) {
      test(`CF-1 ${key} as ${what} stops the start without being shown`, () => {
        assert.deepEqual(problemsWith({ [key]: value }), [`${key}: ${problem} ${make}`]);
      });
    }
  }

  test("CF-1 a secret of 32 characters is enough, in hex, base64 or from a password manager", () => {
    for (const value of [
      anotherSecret.slice(0, 32),
      "Vb0+/K3mT8q=".repeat(1) + anotherSecret,
      "r}4<T{w9&Jk%2_z!Qp$6@Lm^8*Ns(5)Xe-1",
    ])
      assert.deepEqual(problemsWith({ SESSION_SECRET: value }), []);
  });

  test("CF-1 a new secret is one that is accepted, even when the first random text has a word that is refused", (t) => {
    const texts = ["aB3-passw", "xxxxK7vQ", ""].map((word) => word + good.SESSION_SECRET.slice(word.length));
    const values = [...texts];
    t.mock.method(crypto, "randomBytes", () => Buffer.from(String(values.shift()), "base64url"));
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    assert.equal(newSecret(), texts[2]);
  });

  test("CF-1 every value of a list is checked, in text and as an array", () => {
    const line = `SESSION_SECRET: value 2 is shorter than 32 characters. ${make}`;
    assert.deepEqual(problemsWith({ SESSION_SECRET: `${good.SESSION_SECRET}, short` }), [line]);
    assert.deepEqual(problemsWith({ SESSION_SECRET: [good.SESSION_SECRET, "short"] }), [line]);
    assert.deepEqual(problemsWith({ SESSION_SECRET: [good.SESSION_SECRET, 7] }), [
      `SESSION_SECRET: value 2 must be text. ${make}`,
    ]);
  });

  test("a list of secrets keeps its order, newest first", () => {
    const secrets = [anotherSecret, good.SESSION_SECRET];
    assert.deepEqual(parseConfig({ ...good, SESSION_SECRET: secrets }).sessionSecrets, secrets);
    assert.deepEqual(parseConfig({ ...good, SESSION_SECRET: secrets.join(" ,\n") }).sessionSecrets, secrets);
  });

  test("CF-1 the same value for both keys stops the start, anywhere in their lists", () => {
    const line = `ENCRYPTION_KEY: has a value that SESSION_SECRET has too. ${make}`;
    assert.deepEqual(problemsWith({ ENCRYPTION_KEY: good.SESSION_SECRET }), [line]);
    assert.deepEqual(
      problemsWith({ ENCRYPTION_KEY: [anotherSecret, good.SESSION_SECRET], PORT: "x" }).includes(line),
      true,
    );
  });

  test("CF-1 the same value twice in a list, an empty list and a list in quotes stop the start", () => {
    assert.deepEqual(problemsWith({ ENCRYPTION_KEY: [anotherSecret, anotherSecret] }), [
      "ENCRYPTION_KEY: contains the same value twice. Remove one of them.",
    ]);
    assert.deepEqual(problemsWith({ ENCRYPTION_KEY: " , " }), [
      "ENCRYPTION_KEY: is an empty list. Give it a value, or remove the key.",
    ]);
    assert.deepEqual(problemsWith({ ENCRYPTION_KEY: JSON.stringify([anotherSecret]) }), [
      "ENCRYPTION_KEY: must be text with commas between the values. Only config.json can contain an array instead.",
    ]);
  });

  test("CF-1 an id or a secret of the portal that is still a placeholder stops the start", () => {
    for (const value of [
      "your-client-id",
      "YOUR_CLIENT_ID",
      "<client-id>",
      "{client_id}",
      "xxxxxxxx",
      "change_me",
    ])
      assert.match(
        problemsWith({ CLIENT_ID: value, CLIENT_SECRET: value }).join("\n"),
        /^CLIENT_ID: .*\nCLIENT_SECRET: .*$/,
      );
  });

  test("CF-1 config.example.json, copied as it is, stops the start at each of its placeholders", () => {
    const config = readFileSync(new URL("../config.example.json", import.meta.url), "utf8");
    assert.deepEqual(
      problemsIn({ config }).map((line) => line.slice(0, line.indexOf("."))),
      [
        "CLIENT_ID: is a placeholder",
        "SESSION_SECRET: is a placeholder",
        "ENCRYPTION_KEY: is a placeholder",
        "PORTAL_URL: still contains a placeholder",
      ],
    );
  });

  const canary = "Canary7Qx2mVw9";
  for (const [what, place] of [
    [
      "a short secret",
      { config: { ...good, SESSION_SECRET: canary, ENCRYPTION_KEY: [canary, `${canary}2`] } },
    ],
    [
      "secrets of a wrong type",
      { config: { SESSION_SECRET: { [canary]: canary }, ENCRYPTION_KEY: [[canary]] } },
    ],
    [
      "the same value twice",
      { config: { ...good, SESSION_SECRET: canary + anotherSecret, ENCRYPTION_KEY: canary + anotherSecret } },
    ],
    ["a bad client secret", { config: { ...good, CLIENT_SECRET: `${canary} with a space` } }],
    ["a client secret that is a list", { config: { ...good, CLIENT_SECRET: [canary] } }],
    ["a password in REDIS_URL", { config: { ...good, REDIS_URL: `http://user:${canary}@redis.test` } }],
    ["a REDIS_URL that is none", { config: { ...good, REDIS_URL: `redis://:${canary}@redis.test:port` } }],
    [
      "a password in PORTAL_URL",
      { config: { ...good, PORTAL_URL: `https://user:${canary}@gis.test/portal` } },
    ],
    [
      "a password in REDIRECT_URI",
      { config: { ...good, REDIRECT_URI: `https://user:${canary}@gis.test/cb` } },
    ],
    ["an unknown key", { config: { ...good, SESION_SECRET: canary, OTHER: { deep: canary } } }],
    ["JSON with a bare value", { config: `{"SESSION_SECRET": ${canary}}` }],
    ["JSON with a bare value at its start", { config: `${canary}` }],
    ["JSON with a broken text", { config: `{"SESSION_SECRET": "${canary}\n"}` }],
    [
      "a secret on a line of its own in .env",
      { config: good, dotenv: `SESSION_SECRET=\n${canary}${anotherSecret}=\n` },
    ],
    ["a secret with blanks in .env", { config: good, dotenv: `ENCRYPTION_KEY=${canary}\nPORT=${canary}` }],
    [
      "secrets in the environment",
      { env: { SESSION_SECRET: canary, ENCRYPTION_KEY: canary, CLIENT_SECRET: `${canary}é` } },
    ],
  ] as const) {
    test(`CF-1 nothing of the value is told about ${what}`, () => {
      const error = failure(() => load(place));
      const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
      assert.doesNotMatch(told, new RegExp(canary));
    });
  }
});

describe("PORTAL_URL", () => {
  for (const [given, portal] of [
    ["https://gis.example.com", "https://gis.example.com/sharing/rest"],
    ["https://gis.example.com/", "https://gis.example.com/sharing/rest"],
    ["https://gis.example.com/portal", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal//", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/home", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/home/", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/home/index.html", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/sharing", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/sharing/rest", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com/portal/sharing/rest/", "https://gis.example.com/portal/sharing/rest"],
    ["https://gis.example.com:7443/arcgis/home", "https://gis.example.com:7443/arcgis/sharing/rest"],
    ["HTTPS://GIS.Example.com/Portal/Sharing/REST", "https://gis.example.com/Portal/sharing/rest"],
    [" https://www.arcgis.com ", "https://www.arcgis.com/sharing/rest"],
    ["https://arcgis.com/sharing/rest", "https://www.arcgis.com/sharing/rest"],
    ["https://www.arcgis.com/index.html", "https://www.arcgis.com/sharing/rest"],
    ["https://acme.maps.arcgis.com/home/index.html", "https://acme.maps.arcgis.com/sharing/rest"],
    ["http://localhost:4000/portal", "http://localhost:4000/portal/sharing/rest"],
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000/sharing/rest"],
    ["http://127.1.2.3", "http://127.1.2.3/sharing/rest"],
    ["http://[::1]:4000/sharing/rest", "http://[::1]:4000/sharing/rest"],
  ] as const) {
    test(`CF-2 ${given} means ${portal}`, () => {
      assert.equal(parseConfig({ ...good, PORTAL_URL: given }).portal, portal);
    });
  }

  for (const [given, problem] of [
    ["http://gis.example.com/portal", /^PORTAL_URL: must use https; http is allowed on loopback/],
    ["http://localhost.example.com", /^PORTAL_URL: must use https;/],
    ["http://127.0.0.1.example.com", /^PORTAL_URL: must use https;/],
    ["http://0.0.0.0", /^PORTAL_URL: must use https;/],
    ["http://192.168.0.1", /^PORTAL_URL: must use https;/],
    [
      "https://{machine.domain.com}/{webadaptor}/sharing/rest",
      /^PORTAL_URL: still contains a placeholder\. Enter the URL of your portal/,
    ],
    ["https://<host>/portal", /^PORTAL_URL: still contains a placeholder\./],
    ["https://*.arcgis.com", /^PORTAL_URL: still contains a placeholder\./],
    ["https://user@gis.example.com/portal", /^PORTAL_URL: must not contain a user name or a password\./],
    ["https://gis.example.com/portal?f=json", /^PORTAL_URL: must not contain \? or #\./],
    ["https://gis.example.com/portal#x", /^PORTAL_URL: must not contain \? or #\./],
    ["https://gis.example.com/portal?", /^PORTAL_URL: must not contain \? or #\./],
    ["gis.example.com/portal", /^PORTAL_URL: is not an absolute URL\. .*https:\/\/gis\.example\.com\/portal/],
    ["ftp://gis.example.com", /^PORTAL_URL: is not an absolute URL\./],
    ["https://", /^PORTAL_URL: is not an absolute URL\./],
    ["https:gis.example.com", /^PORTAL_URL: is not an absolute URL\./],
    ["https://gis.example.com\\portal", /^PORTAL_URL: is not an absolute URL\./],
    ["https://gis.exa\nmple.com", /^PORTAL_URL: is not an absolute URL\./],
    ["https://gis.example.com:99999", /^PORTAL_URL: is not an absolute URL\./],
    ["https://gis.example.com/server/rest/services", /^PORTAL_URL: is the URL of something inside a portal/],
    [
      "https://gis.example.com/portal/sharing/rest/oauth2/authorize",
      /^PORTAL_URL: is the URL of something inside a portal/,
    ],
    [3, /^PORTAL_URL: must be text\./],
  ] as const) {
    test(`CF-2 ${JSON.stringify(given)} is refused`, () => {
      const problems = problemsWith({ PORTAL_URL: given });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", problem);
    });
  }
});

describe("REDIRECT_URI", () => {
  for (const [given, origin, callbackPath, secure] of [
    ["http://localhost:3000/authenticate", "http://localhost:3000", "/authenticate", false],
    ["http://127.0.0.1/cb", "http://127.0.0.1", "/cb", false],
    ["https://app.example.com/authenticate", "https://app.example.com", "/authenticate", true],
    [
      "https://app.example.com:8443/gis/oauth/callback",
      "https://app.example.com:8443",
      "/gis/oauth/callback",
      true,
    ],
    ["https://App.Example.com:443/Sign-In-Done", "https://app.example.com", "/Sign-In-Done", true],
    ["https://app.example.com/sign-in/done", "https://app.example.com", "/sign-in/done", true],
    ["https://app.example.com/maps/apiary", "https://app.example.com", "/maps/apiary", true],
  ] as const) {
    test(`CF-3 ${given} gives origin ${origin} and callback ${callbackPath}`, () => {
      const config = parseConfig({ ...good, REDIRECT_URI: given });
      assert.deepEqual(
        [config.redirectUri, config.origin, config.callbackPath, config.secure],
        [given, origin, callbackPath, secure],
      );
    });
  }

  for (const path of [
    "/sign-in",
    "/signed-in",
    "/sign-ins",
    "/sign-out",
    "/map",
    "/embed",
    "/proxy",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api",
    "/api/session",
    "/assets/x.css",
    "/Sign-In",
    "/sign-in/",
    "/gis/sign-in",
    "/a/b/METRICS",
    "/gis/api/callback",
  ]) {
    test(`CF-3 the server's own path ${path} cannot be the callback`, () => {
      assert.deepEqual(problemsWith({ REDIRECT_URI: `https://app.example.com${path}` }), [
        "REDIRECT_URI: ends in a path that the server itself uses. Register another one, such as /authenticate.",
      ]);
    });
  }

  for (const [given, problem] of [
    ["http://app.example.com/authenticate", /must use https; http is allowed on loopback/],
    ["/authenticate", /is not an absolute URL\. Enter the redirect URI exactly as it is registered/],
    ["urn:ietf:wg:oauth:2.0:oob", /is not an absolute URL\./],
    ["https://app.example.com/authenticate#done", /must not contain \? or #\./],
    ["https://app.example.com/authenticate?x=1", /must not contain \? or #\./],
    ["https://me:pass@app.example.com/authenticate", /must not contain a user name or a password\./],
    ["https://{host}/authenticate", /still contains a placeholder\./],
    ["https://app.example.com", /must have a path of letters/],
    ["https://app.example.com/", /must have a path of letters/],
    ["https://app.example.com//authenticate", /must have a path of letters/],
    ["https://app.example.com/:id", /must have a path of letters/],
    ["https://app.example.com/sign%2Din", /must have a path of letters/],
  ] as const) {
    test(`CF-3 ${given} is refused`, () => {
      const problems = problemsWith({ REDIRECT_URI: given });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", new RegExp(`^REDIRECT_URI: ${problem.source}`));
    });
  }
});

test("CF-4 NODE_TLS_REJECT_UNAUTHORIZED=0 stops the start and names NODE_EXTRA_CA_CERTS", () => {
  const line =
    "NODE_TLS_REJECT_UNAUTHORIZED: turns off certificate checks. Unset it, and name the file of your own certificate authority in NODE_EXTRA_CA_CERTS.";
  assert.deepEqual(problemsIn({ config: good, env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }), [line]);
  assert.equal(load({ config: good, env: { NODE_TLS_REJECT_UNAUTHORIZED: "1" } }).secure, false);
});

test("CF-4 an app that only calls parseConfig is stopped by NODE_TLS_REJECT_UNAUTHORIZED=0 too", (t) => {
  assert.ok(parseConfig(good));
  t.after(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  assert.throws(() => parseConfig(good), /^ConfigError: NODE_TLS_REJECT_UNAUTHORIZED: turns off/);
});

describe("MAP_LAYERS and MAP_TILES", () => {
  const root = "https://services.example.com/arcgis/rest/services";
  const inReach = { PROXY_ALLOW: "https://services.example.com/arcgis/rest/" };
  const fix =
    "Enter the URL of a layer and, after a space, its title if you like: https://services.example.com/arcgis/rest/services/Trees/FeatureServer/0 Street trees";

  test("a layer is an address and, after a space, a title; a list is JSON or has commas", () => {
    const expected = [
      { url: `${root}/Trees/FeatureServer/0`, title: "Street trees" },
      { url: `${root}/City/MapServer/12` },
    ];
    const texts = [`${root}/Trees/FeatureServer/0  Street   trees`, `${root}/City/MapServer/12`];
    for (const MAP_LAYERS of [texts, texts.join(",")]) {
      assert.deepEqual(parseConfig({ ...good, ...inReach, MAP_LAYERS }).mapLayers, expected);
    }
    const atThePortal = {
      PORTAL_URL: "https://gis.example.com/portal",
      PROXY_ALLOW: "https://gis.example.com/server/",
    };
    const url = "https://gis.example.com/server/rest/services/T/FeatureServer/0";
    assert.deepEqual(parseConfig({ ...good, ...atThePortal, MAP_LAYERS: url }).mapLayers, [{ url }]);
    const [withComma] = parseConfig({
      ...good,
      ...inReach,
      MAP_LAYERS: [`${root}/T/FeatureServer/0 a, b <c>`],
    }).mapLayers;
    assert.equal(withComma?.title, "a, b <c>");
  });

  test("a layer that /proxy may not reach is a problem, and its line names the fix", () => {
    const outOfReach =
      "MAP_LAYERS: contains a layer that /proxy may not request. Add the beginning of its URL, such as https://services.example.com/arcgis/rest/, to PROXY_ALLOW.";
    for (const allowed of [
      {},
      { PROXY_ALLOW: "https://other.example.com/" },
      { PROXY_ALLOW: "https://services.example.com/arcgis/rest/services/Tre" },
      { PROXY_ALLOW: "https://services.example.com:8443/" },
    ]) {
      assert.deepEqual(problemsWith({ ...allowed, MAP_LAYERS: `${root}/Trees/FeatureServer/0` }), [
        outOfReach,
      ]);
    }
  });

  for (const [given, problem] of [
    ["Street trees", `is not an absolute URL. ${fix}`],
    [`Street trees ${root}/Trees/FeatureServer/0`, `is not an absolute URL. ${fix}`],
    [
      `${root}/Trees/FeatureServer`,
      `is not the URL of one layer, which ends in FeatureServer/ and a number. ${fix}`,
    ],
    [
      `${root}/Trees/FeatureServer/0/query`,
      `is not the URL of one layer, which ends in FeatureServer/ and a number. ${fix}`,
    ],
    [`${root}/Trees/FeatureServer/0?token=x`, `must not contain ? or #. ${fix}`],
    [
      `${root}/100%/FeatureServer/0`,
      "contains a layer that /proxy may not request. Add the beginning of its URL, such as https://services.example.com/arcgis/rest/, to PROXY_ALLOW.",
    ],
    [
      "http://services.example.com/arcgis/rest/services/T/FeatureServer/0",
      "must use https; http is allowed on loopback addresses only, such as localhost. Use https://.",
    ],
    [
      `${root}/T/FeatureServer/0 ${"x".repeat(101)}`,
      "has a title that is too long. Use 100 characters at most.",
    ],
    [
      [`${root}/T/FeatureServer/0`, `${root}/T/FeatureServer/0`],
      "contains the same value twice. Remove one of them.",
    ],
    [[7], `value 1 must be text. ${fix}`],
    [[], "is an empty list. Give it a value, or remove the key."],
  ] as const) {
    test(`${JSON.stringify(given).slice(0, 90)} is refused as MAP_LAYERS`, () => {
      assert.deepEqual(problemsWith({ ...inReach, MAP_LAYERS: given }), [`MAP_LAYERS: ${problem}`]);
    });
  }

  test("tiles are a template and an attribution", () => {
    const MAP_TILES = "https://tiles.example.com/{z}/{x}/{y}@2x.png?key=a © The mapmakers & others";
    assert.deepEqual(parseConfig({ ...good, MAP_TILES }).mapTiles, {
      url: "https://tiles.example.com/{z}/{x}/{y}@2x.png?key=a",
      attribution: "© The mapmakers & others",
    });
  });

  for (const [given, problem] of [
    ["https://tiles.example.com/{z}/{x}/{y}.png", /lacks the attribution\./],
    [
      "https://tiles.example.com/{z}/{x}.png © A",
      /must contain each of \{z\}, \{x\} and \{y\} once, and no other braces\./,
    ],
    ["https://{s}.example.com/{z}/{x}/{y}.png © A", /must contain each .* and no other braces/],
    ["https://a.example.com/{z}/{x}/{y}.png?k={k} © A", /must contain each .* and no other braces/],
    ["https://{z}.example.com/{x}/{y}.png © A", /must be an https URL with .* after the host/],
    ["https://tiles.example.com:{z}/{x}/{y}.png © A", /must be an https URL with .* after the host/],
    ["http://tiles.example.com/{z}/{x}/{y}.png © A", /must be an https URL/],
    ["https://me:pass@tiles.example.com/{z}/{x}/{y}.png © A", /must be an https URL without a user name/],
    ["/tiles/{z}/{x}/{y}.png © A", /must be an https URL/],
    ["https://tiles.example.com/{z}/{x}/{y}.png;script-src&#39;*' © A", /must be an https URL/],
    [7, /must be text\./],
  ] as const) {
    test(`${given} is refused as MAP_TILES`, () => {
      const problems = problemsWith({ MAP_TILES: given });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", new RegExp(`^MAP_TILES: ${problem.source}`));
    });
  }
});

describe("TRUST_PROXY", () => {
  for (const [given, trustProxy] of [
    ["false", false],
    [false, false],
    ["1", 1],
    [10, 10],
    ["loopback", ["loopback"]],
    ["loopback, 10.0.0.0/8,192.168.1.7", ["loopback", "10.0.0.0/8", "192.168.1.7"]],
    [
      ["uniquelocal", "linklocal", "fc00::/7", "2001:db8::1"],
      ["uniquelocal", "linklocal", "fc00::/7", "2001:db8::1"],
    ],
  ] as const) {
    test(`CF-5 ${JSON.stringify(given)} is what Express gets`, () => {
      assert.deepEqual(parseConfig({ ...good, TRUST_PROXY: given }).trustProxy, trustProxy);
    });
  }

  for (const given of [
    "true",
    true,
    "*",
    "0",
    0,
    "11",
    1.5,
    -1,
    "yes",
    "0.0.0.0/0",
    "::/0",
    "128.0.0.0/1",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "10.0.0",
    "proxy.example.com",
    "loopback,",
    [],
    ["loopback", true],
    {},
  ]) {
    test(`CF-5 ${JSON.stringify(given)} is refused: clients could forge their address`, () => {
      assert.deepEqual(problemsWith({ TRUST_PROXY: given }), [
        "TRUST_PROXY: must be false, the number of reverse proxies in front (1 to 10), or their addresses. Use 1 for one proxy, or a list such as loopback,10.0.0.0/8; with true, clients could forge their address.",
      ]);
    });
  }
});

describe("files with secrets", { skip: needsPosix("modes of files") }, () => {
  for (const mode of [0o604, 0o640, 0o644, 0o660, 0o666]) {
    test(`CF-6 a config.json and a .env with secrets and mode ${mode.toString(8)} stop the start`, () => {
      const cwd = folder({ config: good, dotenv: `SESSION_SECRET=${anotherSecret}` });
      chmodSync(join(cwd, "config.json"), mode);
      chmodSync(join(cwd, ".env"), mode);
      assert.deepEqual(failure(() => loadConfig({ cwd, env: {} })).problems, [
        "config.json: contains secrets that other users can read. Run: chmod 600 config.json",
        ".env: contains secrets that other users can read. Run: chmod 600 .env",
      ]);
    });
  }

  test("CF-6 the mode that counts is the one of the file behind a symbolic link", () => {
    const cwd = folder({ config: good });
    symlinkSync("config.json", join(cwd, "linked.json"));
    const start = () => loadConfig({ cwd, env: { CONFIG_FILE: "linked.json" } });
    assert.equal(start().clientId, good.CLIENT_ID);
    chmodSync(join(cwd, "config.json"), 0o644);
    assert.deepEqual(failure(start).problems, [
      "linked.json: contains secrets that other users can read. Run: chmod 600 linked.json",
    ]);
  });

  test("CF-6 files without secrets may be open: the secrets come from the environment", () => {
    const { SESSION_SECRET, ENCRYPTION_KEY, ...rest } = good;
    const cwd = folder({ config: rest, dotenv: "PORT=1234" });
    chmodSync(join(cwd, "config.json"), 0o644);
    chmodSync(join(cwd, ".env"), 0o644);
    assert.equal(loadConfig({ cwd, env: { SESSION_SECRET, ENCRYPTION_KEY } }).port, 1234);
  });

  test("CF-6 the server listens on 127.0.0.1 unless it is told otherwise", () => {
    assert.equal(parseConfig(good).host, "127.0.0.1");
    assert.equal(parseConfig({ ...good, HOST: "0.0.0.0" }).host, "0.0.0.0");
  });
});

describe("the other settings", () => {
  for (const [key, values] of Object.entries({
    PORT: ["65536", "-1", "1e3", "0x10", "3000.5", "three", true, {}],
    HOST: ["http://localhost", "a b", 1],
    SESSION_DIR: [1],
    REDIS_URL: [
      "redis.example.com:6379",
      "http://redis.example.com",
      "redis:",
      "redis://host:port",
      "unix://socket",
      1,
    ],
    SESSION_IDLE_SECONDS: ["0", "2592001", "1.5", "14d"],
    SESSION_MAX_SECONDS: ["month", "34560001"],
    TOKEN_EXPIRATION_MINUTES: ["0", "129601"],
    PKCE: ["yes", "TRUE", "1", 1, 0],
    TOKEN_HANDOVER: ["on", []],
    ALSO_SIGN_OUT_PORTAL: ["on", []],
    AUTO_SIGN_IN: ["on", []],
    CLIENT_SECRET: ["two words", 12345],
    ALLOWED_ORGS: ["https://acme.maps.arcgis.com", [], ["abc", ""], "abc,abc", {}],
    PROXY_ALLOW: [
      "http://services.example.com/",
      "services.example.com",
      "https://*.arcgis.com/",
      "https://a.example.com/?x",
      "https://u@a.example.com",
    ],
    RATE_LIMIT: ["0", "on", "-5", false, true, "1.5", []],
    LOG_LEVEL: ["verbose", "INFO", 30],
    METRICS: ["off", "true", true, "PUBLIC", "private"],
    CLIENT_ID: ["two words", "a/b", 12345],
  })) {
    for (const value of values)
      test(`${key} as ${JSON.stringify(value)} is refused with its fix`, () => {
        const problems = problemsWith({ [key]: value });
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.match(problems[0] ?? "", new RegExp(`^${key}: [a-z][^.]+\\. [A-Z].+\\.$`));
      });
  }

  test("PROXY_ALLOW becomes whole URLs, so that a host cannot grow into another one", () => {
    assert.deepEqual(
      parseConfig({
        ...good,
        PROXY_ALLOW:
          "https://services.example.com,HTTPS://GIS.example.com:443/arcgis/rest,http://localhost:4000/x/",
      }).proxyAllow,
      ["https://services.example.com/", "https://gis.example.com/arcgis/rest", "http://localhost:4000/x/"],
    );
  });

  describe("EMBED_ORIGINS", () => {
    const embed = (origins: unknown) => ({ TOKEN_HANDOVER: true, EMBED_ORIGINS: origins });

    test("becomes origins as browsers spell them", () => {
      const given = "https://Experience.ArcGIS.com/,https://acme.maps.arcgis.com:443,http://localhost:4000";
      const { embedOrigins } = parseConfig({ ...good, ...embed(given) });
      assert.deepEqual(embedOrigins, [
        "https://experience.arcgis.com",
        "https://acme.maps.arcgis.com",
        "http://localhost:4000",
      ]);
    });

    for (const handover of [undefined, false, "false"]) {
      test(`is refused while TOKEN_HANDOVER is ${handover}`, () => {
        const settings = { EMBED_ORIGINS: ["https://experience.arcgis.com"], TOKEN_HANDOVER: handover };
        assert.deepEqual(problemsWith(settings), [
          "EMBED_ORIGINS: gives access tokens to apps in frames, but TOKEN_HANDOVER is not true. Set that to true, too, or remove this key.",
        ]);
      });
    }

    for (const value of [
      "https://experience.arcgis.com/experience/1",
      "https://*.arcgis.com",
      "http://experience.arcgis.com",
      "experience.arcgis.com",
      "https://experience.arcgis.com/?a",
      "https://u@experience.arcgis.com",
      "null",
      "*",
      [],
    ]) {
      test(`as ${JSON.stringify(value)} is refused with its fix`, () => {
        const problems = problemsWith(embed(value));
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.match(problems[0] ?? "", /^EMBED_ORIGINS: [a-z][^.]+\. [A-Z].+\.$/);
      });
    }
  });

  test("CF-1 a password in REDIS_URL with special characters is explained, not shown", () => {
    const wrong =
      "REDIS_URL: is not the URL of a Redis server. Use redis://, rediss:// or unix:///path/to/redis.sock. In a password, write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25.";
    const start = (url: string) => parseConfig({ ...good, REDIS_URL: url });
    for (const password of [
      "pa/ss",
      "pa#ss",
      "pa?ss",
      "12/ss",
      "1#ss",
      "1?cluster=true",
      "p@a/ss",
      "p%ss",
      "100%",
      "/",
      "#",
    ])
      for (const urlWith of [
        (word: string) => `redis://:${word}@localhost`,
        (word: string) => `rediss://app:${word}@redis.test:6379/0`,
        (word: string) => `unix://:${word}@/run/redis.sock`,
        (word: string) => `rediss://:${word}@a.test:7000,rediss://:${word}@b.test:7001`,
      ]) {
        const url = urlWith(password);
        assert.equal(failure(() => start(url)).message, wrong, url);
        const escaped = urlWith(encodeURIComponent(password));
        assert.equal(start(escaped).redisUrl?.password, password);
      }
    for (const url of [
      "redis://:p%40ss@localhost:port",
      "rediss://:a@a.test:7000,rediss://:b@b.test:7001",
      "redis://localhost/one",
      "http://user:word@redis.test",
      "redis.test:6379",
    ])
      assert.equal(failure(() => start(url)).message, wrong, url);
  });

  test("REDIS_URL may be plain, TLS or a socket", () => {
    for (const url of [
      "redis://localhost:6379/1",
      "rediss://user:word@redis.example.com",
      "unix:///run/redis.sock",
    ])
      assert.deepEqual(parseConfig({ ...good, REDIS_URL: url }).redisUrl, parseRedisUrl(url));
  });

  test("ST-12 a Redis on another machine needs TLS and a password; on this one neither", () => {
    const plain =
      "REDIS_URL: names another machine without TLS. Use rediss://, or a Unix socket or a TLS tunnel on this machine.";
    const open =
      "REDIS_URL: names another machine without a password. Use rediss://user:password@host, or :password@host.";
    const cases: [string, string[]][] = [
      ["redis://redis:6379", [plain, open]],
      ["redis://:word@10.0.0.5", [plain]],
      ["rediss://redis.example.com", [open]],
      ["rediss://user@redis.example.com", [open]],
      ["redis://:word@127.0.0.1,redis://:word@10.0.0.5", [plain]],
      ["redis://127.0.0.1.example.com", [plain, open]],
      ["redis://localhost.example.com", [plain, open]],
      ["redis://[2001:db8::1]", [plain, open]],
      ["redis://0.0.0.0", [plain, open]],
      ["rediss://:word@redis.example.com", []],
      ["rediss://:word@one.example.com,rediss://:word@two.example.com", []],
      ["redis://[::1]:6379", []],
      ["redis://127.0.0.1:6379,redis://localhost:6380", []],
      ["unix:///run/redis.sock", []],
    ];
    for (const [url, expected] of cases) {
      let problems: string[] = [];
      try {
        parseConfig({ ...good, REDIS_URL: url });
      } catch (error) {
        problems = (error as ConfigError).problems;
      }
      assert.deepEqual(problems, expected, url);
    }
  });

  test("the longest lives are accepted, and idle may equal the longest", () => {
    const config = parseConfig({
      ...good,
      SESSION_IDLE_SECONDS: 34_560_000,
      SESSION_MAX_SECONDS: "34560000",
      TOKEN_EXPIRATION_MINUTES: 129_600,
    });
    assert.deepEqual(
      [config.sessionIdleSeconds, config.sessionMaxSeconds, config.tokenExpirationMinutes],
      [34_560_000, 34_560_000, 129_600],
    );
  });
});

describe("PORTALS", () => {
  const county = {
    id: "county",
    title: "County GIS",
    url: "https://gis.county.example/portal/home/",
    clientId: "countyClient",
  };

  test("each is a configuration of its own, below a path of its own; what is said for the first one alone is not in it", () => {
    const PORTALS = [
      county,
      {
        ...county,
        ...{
          id: "city-2",
          title: "Stadt Ü",
          url: "https://gis.city.example/portal",
          clientSecret: "aVerySecretText",
        },
        ...{ allowedOrgs: ["abc"], proxyAllow: ["https://gis.city.example/server/rest"] },
      },
    ];
    const layer = "https://services.example.com/arcgis/rest/services/T/FeatureServer/0";
    const settings = {
      ...good,
      REDIRECT_URI: "https://app.example/gis/authenticate",
      CLIENT_SECRET: "mainSecretText",
      ALLOWED_ORGS: "main",
      AUTO_SIGN_IN: true,
      PROXY_ALLOW: "https://services.example.com/",
      MAP_LAYERS: layer,
    };
    const config = parseConfig({ ...settings, PORTALS });
    assert.deepEqual(parseConfig({ ...settings, PORTALS: JSON.stringify(PORTALS) }), config);
    const [first, second] = config.furtherPortals;
    const { furtherPortals, ...alone } = parseConfig(settings);
    assert.deepEqual(furtherPortals, []);
    assert.deepEqual(first, {
      ...alone,
      ...{ autoSignIn: false, mapLayers: [], mapTiles: undefined, embedOrigins: [], siteDir: undefined },
      furtherPortals: [],
      portalId: "county",
      portalPath: "/portals/county",
      portalTitle: "County GIS",
      portal: "https://gis.county.example/portal/sharing/rest",
      clientId: "countyClient",
      clientSecret: undefined,
      cookieName: "__Host-arcgis.sid.gis.portals.county",
      allowedOrgs: [],
      proxyAllow: [],
      callbackPath: "/gis/portals/county/authenticate",
      redirectUri: "https://app.example/gis/portals/county/authenticate",
    });
    assert.deepEqual(
      [second?.clientSecret, second?.allowedOrgs, second?.proxyAllow, second?.redirectUri],
      [
        "aVerySecretText",
        ["abc"],
        ["https://gis.city.example/server/rest"],
        "https://app.example/gis/portals/city-2/authenticate",
      ],
    );
    assert.deepEqual([config.portalId, config.portal], ["main", "https://www.arcgis.com/sharing/rest"]);
  });

  const common =
    "PORTALS: and PORTAL_URL share a URL, or one is below another (proxyAllow and PROXY_ALLOW count, too): a portal would receive tokens of another. List each URL for one portal only.";
  for (const [what, settings, problem] of [
    [
      "no array",
      { PORTALS: "county" },
      "PORTALS: must be an array of portals. Write it in config.json, or as JSON text in the environment.",
    ],
    [
      "an entry that is no object",
      { PORTALS: ["county"] },
      'PORTALS: value 1 must be an object. Write {"id": ..., "title": ..., "url": ..., "clientId": ...}.',
    ],
    [
      "an id in capitals",
      { PORTALS: [{ ...county, id: "County" }] },
      'PORTALS: value 1 (id) is not valid. Use small letters, digits and "-", such as county.',
    ],
    [
      "an id that leads elsewhere",
      { PORTALS: [{ ...county, id: "../map" }] },
      'PORTALS: value 1 (id) is not valid. Use small letters, digits and "-", such as county.',
    ],
    [
      "the first portal's id",
      { PORTALS: [{ ...county, id: "main" }] },
      'PORTALS: value 1 (id) is the ID of the portal of PORTAL_URL. Use small letters, digits and "-", such as county.',
    ],
    [
      "no title",
      { PORTALS: [{ ...county, title: undefined }] },
      "PORTALS: value 1 (title) is missing. Enter the name that users see, such as County GIS.",
    ],
    [
      "no client id",
      { PORTALS: [county, { ...county, id: "b", clientId: undefined }] },
      "PORTALS: value 2 (clientId) is missing. Copy the client ID from the OAuth credentials item in your portal.",
    ],
    [
      "http",
      { PORTALS: [{ ...county, url: "http://gis.county.example/portal" }] },
      "PORTALS: value 1 (url) must use https; http is allowed on loopback addresses only, such as localhost. Use https://.",
    ],
    [
      "a key that there is not",
      { PORTALS: [{ ...county, secret: "hush-hush" }] },
      "PORTALS: value 1 has an unknown key. Use id, title, url, clientId, clientSecret, allowedOrgs and proxyAllow.",
    ],
    [
      "a misspelled key",
      { PORTALS: [{ ...county, allowOrgs: [] }] },
      "PORTALS: value 1 has an unknown key, allowOrgs. Did you mean allowedOrgs?",
    ],
    [
      "the same id twice",
      { PORTALS: [county, { ...county, url: "https://other.example/portal" }] },
      "PORTALS: contains the same id twice. Give each portal its own.",
    ],
    ["the first portal again", { PORTALS: [{ ...county, url: "https://arcgis.com" }] }, common],
    [
      "the same portal twice",
      { PORTALS: [county, { ...county, id: "b", url: "https://gis.county.example/Portal" }] },
      common,
    ],
    ["a portal in PROXY_ALLOW", { PORTALS: [county], PROXY_ALLOW: "https://gis.county.example/" }, common],
    [
      "a part of a portal in PROXY_ALLOW",
      { PORTALS: [county], PROXY_ALLOW: "https://gis.county.example/portal/sharing/rest/content/" },
      common,
    ],
    [
      "the first portal in proxyAllow",
      { PORTALS: [{ ...county, proxyAllow: ["https://www.arcgis.com/"] }] },
      common,
    ],
    [
      "a server in both lists",
      {
        PORTALS: [{ ...county, proxyAllow: ["https://x.example/a/"] }],
        PROXY_ALLOW: "https://x.example/a/b/",
      },
      common,
    ],
  ] as const) {
    test(`CF-2 ${what} is a problem`, () => {
      assert.deepEqual(problemsWith(settings as Record<string, unknown>), [problem]);
    });
  }

  test("CF-6 a .env that holds a portal's secret is to be its owner's alone", {
    skip: needsPosix("modes of files"),
  }, () => {
    const cwd = folder({ config: good });
    writeFileSync(join(cwd, ".env"), `PORTALS=${JSON.stringify([county])}`);
    chmodSync(join(cwd, ".env"), 0o644);
    assert.deepEqual(failure(() => loadConfig({ cwd, env: {} })).problems, [
      ".env: contains secrets that other users can read. Run: chmod 600 .env",
    ]);
  });
});

describe("secrets in files of their own", () => {
  const { SESSION_SECRET, ENCRYPTION_KEY, ...rest } = good;

  /** A configuration whose SESSION_SECRET is in a file with this content. */
  function withFile(content: string | Buffer, changes: Record<string, unknown> = {}) {
    const cwd = folder({ config: { ...rest, ENCRYPTION_KEY, SESSION_SECRET_FILE: "secret", ...changes } });
    writeFileSync(join(cwd, "secret"), content);
    return () => loadConfig({ cwd, env: {} });
  }

  test("each _FILE key is read from wherever it is set, without the line break at the end", () => {
    const cwd = folder({
      config: { ...rest, SESSION_SECRET_FILE: "session" },
      dotenv: "CLIENT_SECRET_FILE=client",
    });
    writeFileSync(join(cwd, "session"), `${SESSION_SECRET}\n`);
    writeFileSync(join(cwd, "key"), `${ENCRYPTION_KEY},${anotherSecret}\r\n`);
    writeFileSync(join(cwd, "client"), "c1i3ntS3cr3t");
    writeFileSync(join(cwd, "redis"), "redis://127.0.0.1:6379\n");
    const env = { ENCRYPTION_KEY_FILE: join(cwd, "key"), REDIS_URL_FILE: "redis" };
    const config = loadConfig({ cwd, env });
    assert.deepEqual(
      [config.sessionSecrets, config.encryptionKeys, config.clientSecret, config.redisUrl?.nodes[0]?.port],
      [[SESSION_SECRET], [ENCRYPTION_KEY, anotherSecret], "c1i3ntS3cr3t", 6379],
    );
  });

  test("a key and its _FILE together are an error, wherever each is set", () => {
    const start = withFile(SESSION_SECRET, { SESSION_SECRET });
    assert.deepEqual(failure(start).problems, [
      "SESSION_SECRET_FILE: SESSION_SECRET is set, too (in config.json). Remove one of the two.",
    ]);
  });

  const unusable: Record<string, [content: string | Buffer, problem: RegExp]> = {
    "an empty file": ["\n", /^SESSION_SECRET_FILE: names an empty file\./],
    "several lines": [
      `${SESSION_SECRET}\n${anotherSecret}\n`,
      /^SESSION_SECRET_FILE: names a file with several lines\./,
    ],
    "UTF-16": [
      Buffer.from(`\uFEFF${SESSION_SECRET}`, "utf16le"),
      /^SESSION_SECRET_FILE: names a file that is not UTF-8\./,
    ],
    "a weak secret": [
      "changeme",
      /^SESSION_SECRET: is a placeholder\..* \(set in the file that SESSION_SECRET_FILE names\)$/,
    ],
  };
  for (const [what, [content, problem]] of Object.entries(unusable)) {
    test(`${what} is one problem, which quotes nothing`, () => {
      const { problems, message } = failure(withFile(content));
      assert.equal(problems.length, 1, message);
      assert.match(String(problems[0]), problem);
      assert.ok(!message.includes(SESSION_SECRET) && !message.includes(anotherSecret));
    });
  }

  test("a file that is missing, or a folder, is one problem, and the key that it stands for is not missing as well", () => {
    for (const [path, code] of [
      ["nothing", "ENOENT"],
      [".", "EISDIR"],
    ])
      assert.deepEqual(failure(withFile("", { SESSION_SECRET_FILE: path })).problems, [
        `SESSION_SECRET_FILE: names a file that cannot be read (${code}). Correct the path, or let the server's user read it.`,
      ]);
  });
});

test("an idle connection stays open for longer than a load balancer's where one is in front, or as long as is set", () => {
  const secondsWith = (changes: object) => parseConfig({ ...good, ...changes }).keepAliveSeconds;
  assert.equal(secondsWith({}), 5);
  assert.equal(secondsWith({ TRUST_PROXY: 1 }), 65);
  assert.equal(secondsWith({ TRUST_PROXY: 1, KEEP_ALIVE_SECONDS: "20" }), 20);
  for (const KEEP_ALIVE_SECONDS of [0, "-1", "65s", 4_000])
    assert.equal(problemsWith({ KEEP_ALIVE_SECONDS }).length, 1, String(KEEP_ALIVE_SECONDS));
});

test("SECURITY_CONTACT is an email address or a URL that security.txt may have", () => {
  const contactWith = (SECURITY_CONTACT: string) =>
    parseConfig({ ...good, SECURITY_CONTACT }).securityContact;
  assert.equal(contactWith("security@example.com"), "mailto:security@example.com");
  for (const uri of ["mailto:a@example.com", "https://example.com/report", "tel:+1-201-555-0123"])
    assert.equal(contactWith(uri), uri);
  for (const SECURITY_CONTACT of [
    "http://example.com/",
    "security",
    "a@b c",
    "javascript:x@y",
    "a@b.example\nExpires: x",
  ])
    assert.equal(problemsWith({ SECURITY_CONTACT }).length, 1, SECURITY_CONTACT);
});

describe("SITE_DIR", () => {
  const fix =
    "Enter the path of a folder with the site and nothing else, such as the one that your build writes.";
  const index = (path: string) => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "index.html"), "");
  };

  test("is a folder with an index.html, relative to the working directory", () => {
    const cwd = folder({ config: { ...good, SITE_DIR: "build/site" } });
    index(join(cwd, "build/site"));
    assert.equal(loadConfig({ cwd, env: {} }).siteDir, join(cwd, "build/site"));
  });

  test("SD-5 is refused where it would serve the settings, secrets or sessions, through links too", () => {
    const { SESSION_SECRET, ...rest } = good;
    const none = `SITE_DIR: contains no index.html that the server can read. ${fix}`;
    const contains = `SITE_DIR: contains a file with the server's settings. ${fix}`;
    const sessions = `SITE_DIR: contains the folder of SESSION_DIR. ${fix}`;
    for (const [config, problem] of [
      [{ SITE_DIR: "missing" }, none],
      [{ SITE_DIR: "site/index.html" }, none],
      [{ SITE_DIR: "empty" }, none],
      [{ SITE_DIR: "." }, contains],
      [{ SITE_DIR: "/" }, contains],
      [{ SITE_DIR: "here" }, contains],
      [{ SITE_DIR: "site", SESSION_SECRET: undefined, SESSION_SECRET_FILE: "site/secret" }, contains],
      [{ SITE_DIR: "site", SESSION_DIR: "site" }, sessions],
      [{ SITE_DIR: "site", SESSION_DIR: "site/not/yet/made" }, sessions],
      [{ SITE_DIR: "site", SESSION_DIR: "link/sessions" }, sessions],
      [{ SITE_DIR: "link", SESSION_DIR: "site/sessions" }, sessions],
      [{ SITE_DIR: "site", SESSION_DIR: "." }, `SITE_DIR: is in the folder of SESSION_DIR. ${fix}`],
      [{ SITE_DIR: "site", SESSION_DIR: "sites" }, undefined],
      [{ SITE_DIR: "site", SESSION_DIR: "..site" }, undefined],
    ] as const) {
      const cwd = folder({ config: { ...rest, SESSION_SECRET, ...config } });
      index(join(cwd, "site"));
      index(cwd);
      mkdirSync(join(cwd, "empty"));
      writeFileSync(join(cwd, "site/secret"), SESSION_SECRET);
      symlinkSync("site", join(cwd, "link"));
      symlinkSync(".", join(cwd, "here"));
      const problems = problem && failure(() => loadConfig({ cwd, env: {} })).problems;
      assert.deepEqual(problems, problem && [problem], JSON.stringify(config));
      if (!problem) loadConfig({ cwd, env: {} });
    }
    const cwd = folder({ config: good });
    index(join(cwd, "site"));
    writeFileSync(join(cwd, "site/own.json"), JSON.stringify(good), { mode: 0o600 });
    const env = { CONFIG_FILE: "site/own.json", SITE_DIR: "site" };
    assert.deepEqual(failure(() => loadConfig({ cwd, env })).problems, [contains]);
  });

  test("is needed by SITE_FALLBACK and SITE_CSP", () => {
    const problem =
      "SITE_DIR: is missing. Without it, SITE_FALLBACK and SITE_CSP do nothing: set it, or remove them.";
    for (const setting of [{ SITE_FALLBACK: true }, { SITE_CSP: "default-src 'self'" }])
      assert.deepEqual(problemsWith(setting), [problem]);
  });

  test("CF-2 SITE_CSP is a policy that browsers read as it was meant", () => {
    const site = join(folder({}), "site");
    index(site);
    const policyWith = (SITE_CSP: string) => parseConfig({ ...good, SITE_DIR: site, SITE_CSP }).siteCsp;
    for (const policy of [
      "default-src 'self'",
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; img-src * data: blob:; upgrade-insecure-requests;",
      "default-src 'self';connect-src 'self' https://*.arcgis.com wss://a.example",
    ])
      assert.equal(policyWith(policy), policy);
    for (const policy of [
      "script-src 'self'",
      "default-src self",
      "default-src 'self'; script-src self",
      "default-src 'self'; script-src 'self'; script-src *",
      "default-src 'self'; Script-Src 'self'; script-src *",
      "default-src 'self', script-src 'self'",
      "default-src 'self'\nX-Evil: 1",
      "default-src 'self' ü",
      "default-src: 'self'",
      ";",
    ])
      assert.match(
        String(failure(() => policyWith(policy)).problems),
        /^SITE_CSP: (?:must be one line|lacks a default-src).* Write it as in the header: /,
        policy,
      );
  });
});
