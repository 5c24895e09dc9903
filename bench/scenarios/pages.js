import { createHmac, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../children.js";
import { signedInUsers } from "../field.js";
import { alternate } from "../load.js";
import { signInWithArcGIS, signInWithOpenId, Visitor } from "../visitor.js";

/** The name of our session cookie over http. */
const sessionCookie = "arcgis.sid";

/**
 * The start page as fast as it comes: ours, the peers' with the bytes of ours, and visitors who are not signed in.
 * The very slow have fewer users, or their sign-ins alone would take minutes.
 */
export async function pages(field, plan) {
  const app = await field.app("app");
  const PAGE = await pageOf(app);
  const peers = [
    peer("bare-express", "Express alone, no session"),
    peer("passport", "passport, in memory"),
    peer("memory", "express-session, in memory"),
    peer("connect-redis", "connect-redis + AES-GCM"),
    peer("cookie-session", "cookie-session (signed, readable)"),
    peer("iron-session", "iron-session (sealed cookie)"),
    peer("openid-connect", "express-openid-connect (encrypted cookie)", { signIn: signInWithOpenId }),
    peer("session-file-store", "session-file-store, not encrypted", { users: 100 }),
    peer("tutorial", "the tutorial's way (session-file-store `secret`)", { users: 10, isSlow: true }),
  ];
  const results = new Map();
  const contestants = [
    {
      id: "app",
      label: "our app on files, signed in GET /",
      children: [app],
      users: await signedInUsers(app, plan.users),
    },
    ...signedOut("app", "our app on files", app, field),
    signInPage("app-sign-in", "our app, GET /sign-in", app),
  ];
  for (const [label, open] of [
    ["our app on Redis", onRedis],
    ["Express alone with our bytes", copyOfOurs],
    ...peers,
  ]) {
    try {
      contestants.push(...(await open()));
    } catch (error) {
      results.set(label, { label, failure: error.message });
      plan.say(`${label}: ${error.message}`);
    }
  }
  for (const [id, figures] of await alternate(contestants, plan)) results.set(id, figures);
  for (const child of new Set(contestants.flatMap(({ children }) => children))) await child.stop();
  return results;

  function peer(id, label, { signIn = signInWithArcGIS, users = plan.users, isSlow } = {}) {
    const open = async () => {
      const child = await field.peer(id, { PAGE });
      if (id === "bare-express") return [{ id, label, children: [child] }];
      const signedIn = await signedInUsers(child, Math.min(users, plan.users), signIn);
      const amount = isSlow ? plan.tutorialRequests : undefined;
      return [{ id, label: `${label}, signed in GET /`, children: [child], users: signedIn, amount }];
    };
    return [label, open];
  }

  async function onRedis() {
    const child = await field.app("app-redis", { onRedis: true });
    const users = await signedInUsers(child, plan.users);
    return [{ id: "app-redis", label: "our app on Redis, signed in GET /", children: [child], users }];
  }

  async function copyOfOurs() {
    const child = await field.peer("copy", { RESPONSES: await responsesOf(app) });
    return [
      { id: "copy-anonymous", label: "Express alone with our bytes, GET /", children: [child] },
      signInPage("copy-sign-in", "Express alone with our bytes, GET /sign-in", child),
    ];
  }
}

function signInPage(id, label, child) {
  return { id, label, children: [child], path: "/sign-in", expect: { status: 302 } };
}

/** Visitors who are not signed in: without a cookie, with one whose session is gone, with one that is forged. */
export function signedOut(id, label, child, { secret }) {
  const children = [child];
  const sessionId = randomBytes(24).toString("base64url");
  const usersBy = (key) => {
    const signature = createHmac("sha256", key).update(sessionId).digest("base64").replace(/=+$/, "");
    return [{ cookie: `${sessionCookie}=${encodeURIComponent(`s:${sessionId}.${signature}`)}` }];
  };
  return [
    { id: `${id}-anonymous`, label: `${label}, anonymous GET /`, children },
    {
      id: `${id}-stale`,
      label: `${label}, cookie of a session that is gone`,
      children,
      users: usersBy(secret),
    },
    { id: `${id}-forged`, label: `${label}, forged cookie`, children, users: usersBy("another secret") },
  ];
}

/** Writes our signed-in start page down, with a place for the user name; returns the file. */
async function pageOf(app) {
  const visitor = new Visitor(app.url);
  await signInWithArcGIS(visitor, "user_page");
  const { text } = await visitor.get("/");
  const file = join(folder("copy"), "page.html");
  writeFileSync(file, text.replaceAll("user_page", "{username}"));
  return file;
}

/** Writes our responses down for servers/copy.js; returns the file. */
async function responsesOf({ url }) {
  const visitor = new Visitor(url);
  const responses = [];
  for (const path of ["/", "/sign-in"]) {
    const { status, headers, text } = await visitor.get(path);
    // These are Node's own and come by themselves.
    const { date, connection, "keep-alive": _, "transfer-encoding": __, ...own } = headers;
    responses.push({ path, status, headers: own, body: text });
  }
  const file = join(folder("copy"), "responses.json");
  writeFileSync(file, JSON.stringify(responses));
  return file;
}
