import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { folder, start, startRedis } from "./children.js";
import { redirectUri, signInWithArcGIS, usernames, Visitor } from "./visitor.js";

const servers = join(import.meta.dirname, "servers");
const dist = join(import.meta.dirname, "../dist");
/** CPU profiles of our app, for Chrome's developer tools or VS Code. */
const profiles = join(import.meta.dirname, "profiles");
export const makeSecret = () => randomBytes(32).toString("base64url");

/**
 * What all scenarios stand on: the portal, the provider and Redis, which are not measured themselves, and ways
 * to start a peer or our app.
 */
export async function openField({ say, profile }) {
  const secrets = { SECRET: makeSecret(), ENCRYPTION_KEY: makeSecret() };
  const portal = await start("portal", join(servers, "portal.js"), { NODE_ENV: "development" });
  const provider = await start("openid-provider", join(servers, "openid-provider.js"), secrets);
  const redis = await startRedis().catch((error) => {
    say(error.message);
    return { missing: error.message };
  });
  const environment = {
    ...secrets,
    PORTAL_URL: `${portal.url}/portal/sharing/rest`,
    ISSUER: provider.url,
    ...(redis.url && { REDIS_URL: redis.url }),
  };

  return {
    portal,
    redis,
    secret: secrets.SECRET,

    /** Starts a program of servers/, in a folder of its own. */
    async peer(program, env = {}, name = program) {
      if (program === "connect-redis" && redis.missing) throw new Error(redis.missing);
      return start(name, join(servers, `${program}.js`), { ...environment, ...env });
    },

    /**
     * Starts our app as `npm start` does. Processes with the same `sessionDir` share their sessions.
     *
     * @param {string} name of this process
     * @param {{ sessionDir?: string, onRedis?: boolean, settings?: Record<string, string>, flags?: string[] }} [options]
     *   where its sessions are kept, other settings, and flags of Node
     */
    async app(name, { sessionDir = "sessions", onRedis = false, settings = {}, flags = [] } = {}) {
      if (onRedis && redis.missing) throw new Error(redis.missing);
      const environmentOfApp = {
        CLIENT_ID: "bench",
        PORTAL_URL: environment.PORTAL_URL,
        REDIRECT_URI: redirectUri,
        SESSION_SECRET: secrets.SECRET,
        ENCRYPTION_KEY: secrets.ENCRYPTION_KEY,
        SESSION_DIR: sessionDir,
        PORT: "0",
        RATE_LIMIT: "off",
        ...(onRedis && { REDIS_URL: redis.url }),
        ...settings,
      };
      const options = profile
        ? ["--cpu-prof", `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`]
        : [];
      const child = await start(name, join(dist, "server.js"), environmentOfApp, [...flags, ...options]);
      if (onRedis) await mustUseNoFolder(child, resolve(folder(name), sessionDir));
      return child;
    },
  };
}

/** Signs a user in, and makes sure that the session is not in a file. */
async function mustUseNoFolder(child, sessionDir) {
  await cookieOf(child);
  if (existsSync(sessionDir) && readdirSync(sessionDir).length > 0)
    throw new Error("its sessions are in a folder although REDIS_URL is set");
}

/** Signs a user in and returns their `Cookie` header. */
export async function cookieOf(child, signIn = signInWithArcGIS, username = usernames[0]) {
  const visitor = new Visitor(child.url);
  await signIn(visitor, username);
  return visitor.cookie;
}

/** Signs so many users in, each once; a session each. */
export async function signedInUsers(child, count, signIn) {
  const waiting = usernames.slice(1, count + 1).entries();
  const users = [];
  async function signInNext() {
    for (const [index, username] of waiting)
      users[index] = { username, cookie: await cookieOf(child, signIn, username) };
  }
  await Promise.all(Array.from({ length: 10 }, signInNext));
  return users;
}
