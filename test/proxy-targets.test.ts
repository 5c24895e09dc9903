import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError } from "#src/index.ts";
import { proxyTargets } from "#src/proxy/targets.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { openSite, signIn } from "./support/site.ts";
import { startUpstream } from "./support/upstream.ts";

interface Places {
  /** host:port of the portal, of an entry in PROXY_ALLOW (`/maps/rest/`), and of a server that must never get a request from us. */
  portal: string;
  maps: string;
  evil: string;
}

/** What comes after `/proxy?`, byte for byte. Most lead to the evil listener if anything at all is believed. */
const hostile: [reason: string, target: (places: Places) => string][] = [
  ["nothing", () => ""],
  ["no address", () => "hello"],
  ["a local path", () => "/portal/sharing/rest"],
  ["no scheme", ({ evil }) => `//${evil}/`],
  ["a host alone", ({ evil }) => `${evil}/`],
  ["an address as a parameter", ({ portal }) => `url=http://${portal}/portal/sharing/rest/info`],
  ["another host", ({ evil }) => `http://${evil}/portal/sharing/rest/info`],
  ["another host, no path", ({ evil }) => `http://${evil}`],
  ["the portal in the path", ({ evil, portal }) => `http://${evil}/http://${portal}/portal/sharing/rest`],
  ["the portal in the query", ({ evil, portal }) => `http://${evil}/?http://${portal}/portal/sharing/rest`],
  [
    "the portal in the fragment",
    ({ evil, portal }) => `http://${evil}/#http://${portal}/portal/sharing/rest`,
  ],
  ["two addresses", ({ evil, portal }) => `http://${evil}/,http://${portal}/portal/sharing/rest`],
  ["the portal as user name", ({ evil, portal }) => `http://${portal}@${evil}/portal/sharing/rest/info`],
  ["the portal as password", ({ evil }) => `http://127.0.0.1:portal@${evil}/portal/sharing/rest/info`],
  ["an empty user name", ({ portal }) => `http://@${portal}/portal/sharing/rest/info`],
  ["a user name at the portal", ({ portal }) => `http://me@${portal}/portal/sharing/rest/info`],
  ["two @", ({ evil, portal }) => `http://a@${portal}@${evil}/portal/sharing/rest`],
  ["an encoded @", ({ evil, portal }) => `http://${portal}%40${evil}/portal/sharing/rest`],
  ["a backslash before @", ({ evil, portal }) => `http://${evil}\\@${portal}/portal/sharing/rest/info`],
  ["a backslash after the host", ({ evil, portal }) => `http://${evil}\\.${portal}/portal/sharing/rest`],
  ["backslashes for slashes", ({ evil }) => `http:\\\\${evil}\\portal\\sharing\\rest`],
  ["a backslash in the path", ({ portal }) => `http://${portal}/portal/sharing/rest\\..\\..\\admin`],
  ["an encoded backslash", ({ portal }) => `http://${portal}/portal/sharing/rest/%5c..%5c..%5cadmin`],
  ["one slash", ({ evil }) => `http:/${evil}/portal/sharing/rest`],
  ["no slash", ({ evil }) => `http:${evil}/portal/sharing/rest`],
  ["three slashes", ({ evil }) => `http:///${evil}/portal/sharing/rest`],
  ["four slashes", ({ evil, portal }) => `http:////${evil}/${portal}/portal/sharing/rest`],
  ["another scheme", ({ portal }) => `https://${portal}/portal/sharing/rest/info`],
  ["ftp", ({ evil }) => `ftp://${evil}/portal/sharing/rest`],
  ["file", () => "file:///etc/passwd"],
  ["data", () => "data:application/json,{}"],
  ["javascript", ({ portal }) => `javascript://${portal}/portal/sharing/rest/%0aalert(1)`],
  ["gopher", ({ evil }) => `gopher://${evil}/_GET`],
  ["a scheme in capitals, another host", ({ evil }) => `HTTP://${evil}/portal/sharing/rest`],
  ["view-source", ({ evil }) => `view-source:http://${evil}/`],
  ["another port", ({ evil }) => `http://127.0.0.1:${evil.split(":")[1]}/portal/sharing/rest`],
  ["no port", () => "http://127.0.0.1/portal/sharing/rest/info"],
  ["two ports", ({ portal, evil }) => `http://${portal}:${evil.split(":")[1]}/portal/sharing/rest`],
  ["a port too large", () => "http://127.0.0.1:99999999/portal/sharing/rest"],
  [
    "another name for the host",
    ({ portal }) => `http://localhost:${portal.split(":")[1]}/portal/sharing/rest`,
  ],
  [
    "a host that ends in a dot",
    ({ portal }) => `http://localhost.:${portal.split(":")[1]}/portal/sharing/rest`,
  ],
  [
    "the host as a prefix",
    ({ evil, portal }) => `http://${portal.split(":")[0]}.${evil}/portal/sharing/rest`,
  ],
  ["IPv6", ({ evil }) => `http://[::1]:${evil.split(":")[1]}/portal/sharing/rest`],
  ["IPv4 in IPv6", ({ evil }) => `http://[::ffff:127.0.0.1]:${evil.split(":")[1]}/portal/sharing/rest`],
  ["a decimal IP address", ({ evil }) => `http://2130706433:${evil.split(":")[1]}/portal/sharing/rest`],
  ["an octal IP address", ({ evil }) => `http://0177.0.0.1:${evil.split(":")[1]}/portal/sharing/rest`],
  ["a hexadecimal IP address", ({ evil }) => `http://0x7f000001:${evil.split(":")[1]}/portal/sharing/rest`],
  ["a short IP address", ({ evil }) => `http://127.1:${evil.split(":")[1]}/portal/sharing/rest`],
  ["zero", ({ evil }) => `http://0:${evil.split(":")[1]}/portal/sharing/rest`],
  ["fullwidth digits", ({ evil }) => `http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:${evil.split(":")[1]}/portal`],
  [
    "an ideographic full stop",
    ({ evil }) => `http://127%E3%80%820.0.1:${evil.split(":")[1]}/portal/sharing/rest`,
  ],
  ["punycode", ({ evil }) => `http://xn--127001-cua:${evil.split(":")[1]}/portal/sharing/rest`],
  ["an encoded host", ({ evil }) => `http://%31%32%37.0.0.1:${evil.split(":")[1]}/portal/sharing/rest`],
  ["a link-local address", () => "http://169.254.169.254/latest/meta-data/"],
  ["a sibling of the portal", ({ portal }) => `http://${portal}/portal-evil/sharing/rest/info`],
  ["a sibling of the API", ({ portal }) => `http://${portal}/portal/sharing/restful`],
  ["above the API", ({ portal }) => `http://${portal}/portal/home`],
  ["other capitals", ({ portal }) => `http://${portal}/PORTAL/sharing/rest/info`],
  ["a sibling of an entry", ({ maps }) => `http://${maps}/maps/restless/`],
  ["above an entry", ({ maps }) => `http://${maps}/`],
  ["dot segments", ({ portal }) => `http://${portal}/portal/sharing/rest/../../home`],
  ["encoded dots", ({ portal }) => `http://${portal}/portal/sharing/rest/%2e%2e/%2E./home`],
  ["dots encoded twice", ({ portal }) => `http://${portal}/portal/sharing/rest/%252e%252e/%252e%252e/home`],
  ["dots encoded three times", ({ portal }) => `http://${portal}/portal/sharing/rest/%25252e%25252e/admin`],
  ["encoded slashes", ({ portal }) => `http://${portal}/portal/sharing/rest/..%2f..%2fhome`],
  ["slashes encoded twice", ({ portal }) => `http://${portal}/portal/sharing/rest/..%252f..%252fhome`],
  ["dots with a parameter", ({ portal }) => `http://${portal}/portal/sharing/rest/..;/..;/home`],
  ["an encoded parameter", ({ portal }) => `http://${portal}/portal/sharing/rest/..%3b/..%3b/home`],
  ["an overlong dot", ({ portal }) => `http://${portal}/portal/sharing/rest/%c0%ae%c0%ae/home`],
  ["%u", ({ portal }) => `http://${portal}/portal/sharing/rest/%u002e%u002e/home`],
  ["a lone %", ({ portal }) => `http://${portal}/portal/sharing/rest/%`],
  ["an empty segment", ({ portal }) => `http://${portal}/portal/sharing/rest//info`],
  ["an empty segment in front", ({ portal }) => `http://${portal}//portal/sharing/rest/info`],
  ["an encoded NUL", ({ portal }) => `http://${portal}/portal/sharing/rest/info%00.png`],
  ["an encoded line break", ({ portal }) => `http://${portal}/portal/sharing/rest/info%0d%0aX-Evil:%201`],
  ["a fragment at the portal", ({ portal }) => `http://${portal}/portal/sharing/rest/info#x`],
  [
    "what gives out tokens",
    ({ portal }) => `http://${portal}/portal/sharing/rest/generateToken?request=getToken`,
  ],
  ["the same in capitals", ({ portal }) => `http://${portal}/portal/sharing/rest/GENERATETOKEN/`],
  ["the same encoded", ({ portal }) => `http://${portal}/portal/sharing/rest/%67enerateToken?f=json`],
  ["the same of a server", ({ maps }) => `http://${maps}/maps/rest/tokens/generateToken`],
  ["the same with a dot", ({ portal }) => `http://${portal}/portal/sharing/rest/generateToken.?f=json`],
  ["the same with a space", ({ portal }) => `http://${portal}/portal/sharing/rest/oauth2%20/token`],
  ["OAuth", ({ portal }) => `http://${portal}/portal/sharing/rest/oauth2/token?f=json`],
  ["OAuth, encoded", ({ portal }) => `http://${portal}/portal/sharing/rest/oauth%32/authorize`],
  [
    "another host, encoded as a whole",
    ({ evil }) => encodeURIComponent(`http://${evil}/portal/sharing/rest`),
  ],
  ["encoded twice as a whole", ({ evil }) => encodeURIComponent(encodeURIComponent(`http://${evil}/`))],
  [
    "the same with a line break",
    ({ portal, evil }) => encodeURIComponent(`http://${portal}\r\n@${evil}/portal`),
  ],
  [
    "the same with a tab",
    ({ portal }) => encodeURIComponent(`http://${portal}/portal/sharing/rest/.\t./home`),
  ],
  ["the same with NUL", ({ portal }) => encodeURIComponent(`http://${portal}/portal/sharing/rest/\0`)],
  ["the same with a space", ({ evil }) => encodeURIComponent(` http://${evil}/`)],
  [
    "the same with a backslash",
    ({ evil }) => encodeURIComponent(`http://${evil}\\@127.0.0.1/portal/sharing`),
  ],
  ["the same, not UTF-8", ({ portal }) => `http%3A//${portal}/portal/sharing/rest/%ff%fe%c0%af`],
  ["a list", ({ portal, evil }) => `[]=http://${portal}/portal/sharing/rest&[]=http://${evil}/`],
];

/** What cannot stand in a request line: mostly Node refuses it before anybody looks. */
const unreadable: [reason: string, target: (places: Places) => string][] = [
  ["a line break", ({ portal, evil }) => `http://${portal}/\r\nHost: ${evil}`],
  ["NUL", ({ portal }) => `http://${portal}/portal/sharing/rest/\0`],
  ["a space", ({ portal, evil }) => `http://${portal} http://${evil}/`],
  ["a tab", ({ portal, evil }) => `http://${portal}\thttp://${evil}/`],
];

test(`PX-1 none of ${hostile.length} hostile targets brings a connection to another host, or a request to ours`, async (t) => {
  assert.ok(hostile.length >= 60);
  const [maps, evil] = [await startUpstream(t), await startUpstream(t)];
  const site = await openSite(t, { settings: { PROXY_ALLOW: `${maps.origin}/maps/rest/` } });
  const browser = site.browser();
  await signIn(browser);
  const places = {
    portal: new URL(site.sandbox.url).host,
    maps: new URL(maps.origin).host,
    evil: new URL(evil.origin).host,
  };
  const before = site.sandbox.log.length;
  const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
  const ask = (target: string) =>
    sendRaw(
      site.url,
      rawGet(`/proxy?${target}`, "Host: localhost", `Cookie: ${cookie}`, "Sec-Fetch-Site: same-origin"),
    );

  for (const [reason, target] of hostile) {
    const { status, text } = await ask(target(places));
    const body = text.slice(text.indexOf("\r\n\r\n") + 4);
    assert.deepEqual(
      [status, JSON.parse(body).error.code],
      [403, "untrusted_url"],
      `${reason}: ${target(places)}`,
    );
  }
  for (const [reason, target] of unreadable) {
    const { status } = await ask(target(places));
    assert.ok([400, 403].includes(status), `${reason}: ${status}`);
  }
  assert.equal(evil.connections(), 0);
  assert.equal(maps.connections(), 0);
  assert.equal(site.sandbox.log.length, before);

  // All that is wrong with the others is their target.
  for (const good of [
    `http://${places.portal}/portal/sharing/rest/info?f=json`,
    `http://${places.maps}/maps/rest/x`,
  ]) {
    assert.equal((await ask(good)).status, 200, good);
    assert.equal((await ask(encodeURIComponent(good))).status, 200, `${good}, encoded`);
  }
});

const targetOf = proxyTargets({
  portal: "https://gis.example.com/portal/sharing/rest",
  allow: [
    "https://services.example.com/arcgis/rest/",
    "https://maps.example.com:6443/",
    "https://xn--mnchen-3ya.example/rest",
    "http://[::1]:6080/arcgis",
  ],
});

test("PX-1 the portal and whole prefixes in PROXY_ALLOW are reached, as they were asked for", () => {
  const allowed = [
    "https://gis.example.com/portal/sharing/rest",
    "https://gis.example.com/portal/sharing/rest?f=json",
    "https://gis.example.com/portal/sharing/rest/community/users/j.o'neil@city.example?f=json",
    "https://services.example.com/arcgis/rest",
    "https://services.example.com/arcgis/rest/services/A%20B/FeatureServer/0/query?where=A%20%3D%20%27x%5Cy%27&outFields=*",
    "https://services.example.com/arcgis/rest/services?u=https://evil.example/../@%00;\\&x=//",
    "https://services.example.com/arcgis/rest/services/100%25/..%25/a...b/.hidden",
    "https://services.example.com/arcgis/rest/services/Stra%C3%9Fen/MapServer/tile/1/2/3",
    "https://maps.example.com:6443/anything",
    "http://[::1]:6080/arcgis/rest/info?f=json",
  ];
  for (const target of allowed) {
    assert.equal(targetOf(`/proxy?${target}`).href, target);
    assert.equal(
      targetOf(`/gis/proxy?${encodeURIComponent(target)}`).href,
      targetOf(`/proxy?${target}`).href,
    );
  }
  assert.equal(targetOf("/proxy?HTTPS://GIS.EXAMPLE.COM/portal/sharing/rest").hostname, "gis.example.com");
  assert.equal(targetOf("/proxy?https://gis.example.com:443/portal/sharing/rest").port, "");
  assert.equal(
    targetOf(`/proxy?${encodeURIComponent("https://münchen.example/rest/x")}`).hostname,
    "xn--mnchen-3ya.example",
  );
});

test("PX-1 capitals make no difference in the path of an ArcGIS service in PROXY_ALLOW, and do everywhere else", () => {
  for (const path of [
    "arcgis/rest/services",
    "ArcGIS/rest/services/A",
    "ARCGIS/REST/services",
    "arcgis/%52EST",
  ])
    assert.equal(targetOf(`/proxy?https://services.example.com/${path}`).hostname, "services.example.com");
  const entry = proxyTargets({
    portal: "https://gis.example.com/portal/sharing/rest",
    allow: ["https://services.example.com/ArcGIS/Rest/Services/Public", "https://api.example.com/Data"],
  });
  assert.ok(entry("/proxy?https://services.example.com/arcgis/rest/services/public/Trees/FeatureServer/0"));
  assert.ok(entry("/proxy?https://api.example.com/Data/1"));
  for (const target of [
    "https://services.example.com/arcgis/rest/services/publicity",
    "https://services.example.com/arcgis/rest/services",
    "https://api.example.com/data/1",
    "https://gis.example.com/Portal/sharing/rest/info",
    "https://gis.example.com/portal/Sharing/servers/x/rest/services",
    "https://gis.example.com/portal/sharing/Servers/x/rest/services",
  ])
    assert.throws(() => entry(`/proxy?${target}`), target);
});

test("PX-11 an address and an entry of PROXY_ALLOW match however their letters are encoded", () => {
  const both = proxyTargets({
    portal: "https://gis.example.com/portal/sharing/rest",
    allow: ["https://services.example.com/%61rcgis/Stra%c3%9fen/"],
  });
  for (const path of ["arcgis/Stra%C3%9Fen/x", "arc%67is/Stra%c3%9fen/x", "%61rcgis/Str%61%C3%9Fen/%78"])
    assert.equal(both(`/proxy?https://services.example.com/${path}`).pathname, "/arcgis/Stra%C3%9Fen/x");
  assert.equal(
    both("/proxy?https://gis.example.com/%70ortal/sharing/%72est/info").pathname,
    "/portal/sharing/rest/info",
  );
});

test("PX-11 no slash, dot or letter hides behind an encoding that some servers read as one", () => {
  const both = proxyTargets({
    portal: "https://gis.example.com/portal/sharing/rest",
    allow: ["https://services.example.com/a/"],
  });
  const refused = [
    ...["%c0%af", "%C0%AE%C0%AE", "%e0%80%af", "%E0%80%AE%e0%80%ae", "%f0%80%80%af"].flatMap((bytes) => [
      `x${bytes}y`,
      `x${bytes.replaceAll("%", "%25")}y`,
      `x${bytes.replaceAll("%", "%2525")}y`,
    ]),
    "generateTo%e2%84%aaen",
    "x/GENERATETO%E2%84%AAEN/y",
    "generateTo%25e2%2584%25aaen",
    "re%c5%bft/services/x",
  ];
  for (const path of refused)
    assert.throws(() => both(`/proxy?https://services.example.com/a/${path}`), path);
  for (const path of ["%E2%84%A6", "Stra%C3%9Fe", "%E0%A4%A8", "%F0%9F%98%80", "%C5%BEivot", "100%25%20E0"])
    assert.equal(both(`/proxy?https://services.example.com/a/${path}`).pathname, `/a/${path}`);
});

test("PX-1 names that only look like an allowed one are refused", () => {
  const refused = [
    "https://gis.example.com.evil/portal/sharing/rest",
    "https://gis.example.com./portal/sharing/rest",
    "https://evil-gis.example.com/portal/sharing/rest",
    "https://gisXexample.com/portal/sharing/rest",
    "https://example.com/portal/sharing/rest",
    "http://gis.example.com/portal/sharing/rest",
    "https://gis.example.com:8443/portal/sharing/rest",
    "https://gіs.example.com/portal/sharing/rest", // a Cyrillic letter
    "https://xn--gs-jxc.example.com/portal/sharing/rest",
    "https://gis.example.com:443@evil.example/portal/sharing/rest",
    "https://maps.example.com/anything",
    "https://maps.example.com:64433/",
    "https://services.example.com/arcgis/restricted",
    "https://services.example.com/arcgis",
    "https://services.example.com/ARCGIS/restricted",
    "https://services.example.com/other/REST/services",
    "http://[::1]:6080/arcgis2",
    "http://[::1]/arcgis",
    "http://[::]:6080/arcgis",
  ];
  const isRefusal = (error: unknown) => error instanceof AuthError && error.code === "untrusted_url";
  for (const target of refused) {
    assert.throws(() => targetOf(`/proxy?${target}`), isRefusal, target);
    assert.throws(() => targetOf(`/proxy?${encodeURIComponent(target)}`), isRefusal, target);
  }
  assert.throws(() => targetOf("/proxy"), isRefusal);
});
