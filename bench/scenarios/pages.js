import { createHmac, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../children.js";
import { cookieOf } from "../field.js";
import { alternate } from "../load.js";
import { person, signInWithOpenId, Visitor } from "../visitor.js";

/** The name of our session cookie over http. */
const sessionCookie = "arcgis.sid";

/** Who takes part, in the order of the table; `open` starts a server and gives its contestants. */
const entries = [
  bare("bare-node", "node:http alone, no session"),
  bare("bare-express", "Express alone, no session"),
  peer("cookie-session", "cookie-session (signed, readable)"),
  peer("passport", "passport, in memory"),
  peer("memory", "express-session, in memory"),
  peer("connect-redis", "connect-redis + AES-GCM"),
  peer("openid-connect", "express-openid-connect (encrypted cookie)", { signIn: signInWithOpenId }),
  peer("iron-session", "iron-session (sealed cookie)"),
  peer("session-file-store", "session-file-store, not encrypted"),
  peer("tutorial", "the tutorial's way (session-file-store `secret`)", { isSlow: true }),
  peer("our-store", "our file store under express-session"),
  peer("our-sessions", "our session layer", { withStrangers: true }),
  {
    label: "our session layer, for pages that change it",
    async open(field) {
      const child = await field.peer("our-sessions", { WRITABLE: "1" });
      return [await signedIn("our-sessions-writable", "our session layer, for pages that change it", child)];
    },
  },
  {
    label: "our app on files",
    async open(field) {
      const child = await field.app("app");
      return [
        await signedIn("app", "our app on files", child),
        ...strangers("app", "our app on files", child, field),
        signInPage("app-sign-in", "our app, GET /sign-in", child),
      ];
    },
  },
  {
    label: "our app on Redis",
    open: async (field) => [
      await signedIn("app-redis", "our app on Redis", await field.app("app-redis", { onRedis: true })),
    ],
  },
  {
    label: "Express alone with our bytes",
    async open(field) {
      const app = await field.app("app-to-copy");
      const child = await field.peer("copy", { ANSWERS: await answersOf(app) });
      await app.stop();
      return [
        { id: "copy-anonymous", label: "Express alone with our bytes, GET /", children: [child] },
        signInPage("copy-sign-in", "Express alone with our bytes, GET /sign-in", child),
      ];
    },
  },
];

/** Pages as fast as they come: the peers' page, our pages, our bytes from bare Express, bad cookies. */
export async function pages(field, plan) {
  const failures = new Map();
  const opened = entries.map(async ({ label, open }) => {
    try {
      return await open(field, plan);
    } catch (error) {
      failures.set(label, { label, failure: error.message });
      plan.say(`${label}: ${error.message}`);
      return [];
    }
  });
  const contestants = (await Promise.all(opened)).flat();
  const figures = await alternate(contestants, plan);
  for (const child of new Set(contestants.flatMap(({ children }) => children))) await child.stop();
  return new Map([...figures, ...failures]);
}

function bare(id, label) {
  return { label, open: async (field) => [{ id, label, children: [await field.peer(id)] }] };
}

/** A peer's page for somebody who is signed in. */
function peer(id, label, { signIn, isSlow, withStrangers } = {}) {
  return {
    label,
    async open(field, plan) {
      const child = await field.peer(id);
      const contestant = await signedIn(id, label, child, signIn);
      if (isSlow) contestant.amount = plan.tutorialRequests;
      return withStrangers ? [contestant, ...strangers(id, label, child, field)] : [contestant];
    },
  };
}

async function signedIn(id, label, child, signIn) {
  const cookie = await cookieOf(child, signIn);
  const expect = { status: 200, text: person };
  return { id, label: `${label}, signed in GET /`, children: [child], cookie, expect };
}

function signInPage(id, label, child) {
  return { id, label, children: [child], path: "/sign-in", expect: { status: 302 } };
}

/** Those who are not signed in: without a cookie, with one whose session is gone, with one that is forged. */
function strangers(id, label, child, { secret }) {
  const children = [child];
  const sessionId = randomBytes(24).toString("base64url");
  const cookieBy = (key) => {
    const signature = createHmac("sha256", key).update(sessionId).digest("base64").replace(/=+$/, "");
    return `${sessionCookie}=${encodeURIComponent(`s:${sessionId}.${signature}`)}`;
  };
  return [
    { id: `${id}-anonymous`, label: `${label}, anonymous GET /`, children },
    {
      id: `${id}-stale`,
      label: `${label}, cookie of a session that is gone`,
      children,
      cookie: cookieBy(secret),
    },
    { id: `${id}-forged`, label: `${label}, forged cookie`, children, cookie: cookieBy("another secret") },
  ];
}

/** Writes our answers down for servers/copy.js; gives the file. */
async function answersOf({ url }) {
  const visitor = new Visitor(url);
  const answers = [];
  for (const path of ["/", "/sign-in"]) {
    const { status, headers, text } = await visitor.get(path);
    // These are Node's own and come by themselves.
    const { date, connection, "keep-alive": _, "transfer-encoding": __, ...own } = headers;
    answers.push({ path, status, headers: own, body: text });
  }
  const file = join(folder("copy"), "answers.json");
  writeFileSync(file, JSON.stringify(answers));
  return file;
}
