import { join } from "node:path";
import type { Config } from "../../app/config/config.ts";
import type { ArcGISAuth } from "../../index.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { Client, type Reply } from "./client.ts";
import type { Recorder } from "./recorder.ts";

/** What the page is about. */
export interface Scene {
  config: Config;
  sandbox: Sandbox;
  auth: ArcGISAuth;
  recorder: Recorder;
}

/** What attacks work with: browsers of their own, and users of the sandbox portal. */
export interface Stage extends Scene {
  victim: string;
  attacker: string;
  /** @param stolenFrom a browser whose cookies it has, too */
  browser(stolenFrom?: Client): Client;
  /** Signs in, all the way. */
  signedIn(username: string): Promise<Client>;
  /** The session file of a browser. */
  fileOf(browser: Client): string;
}

/** `replies` are the responses that decide it. Rejects when the attack could not be carried out. */
export type Attack = (stage: Stage) => Promise<{ succeeded: boolean; replies: Reply[] }>;

/** What came of an attack. */
export interface Outcome {
  succeeded: boolean;
  /** The requests and responses that decided it. */
  exchanges: string[];
  /** Codes of errors (docs/errors.md). */
  codes: string[];
  log: string[];
}

/**
 * Carries out an attack on this server over HTTP. Its sign-ins are its own, of users of the sandbox portal, and end with it.
 * Rejects when it could not be carried out.
 */
export async function carryOut(attack: Attack, scene: Scene): Promise<Outcome> {
  const { config, sandbox, auth, recorder } = scene;
  const browsers: Client[] = [];
  // With an organization, the others have no sign-in at the portal itself.
  const users = sandbox.users.filter(
    (user) => !sandbox.settings.organizationLogin || user.provider === "arcgis",
  );
  const [victim = "", attacker = victim] = users.map(({ username }) => username);
  const browser = (stolenFrom?: Client) => {
    const client = new Client(config.origin, stolenFrom?.cookies);
    browsers.push(client);
    return client;
  };
  const recordOf = ({ cookies }: Client) => recorder.nameIn(cookies);
  const records = () => new Set(browsers.flatMap((client) => recordOf(client) ?? []));
  const stage: Stage = {
    ...{ ...scene, victim, attacker, browser },
    async signedIn(username) {
      const client = browser();
      await client.send(await allow(await client.begin(), username));
      if (recordOf(client) === undefined) throw new Error("the victim could not sign in");
      return client;
    },
    fileOf: (client) => join(config.sessionDir, `${recordOf(client)}.session`),
  };
  try {
    const { succeeded, replies } = await attack(stage);
    const requestIds = browsers.flatMap((client) =>
      client.replies.map(({ headers }) => String(headers["x-request-id"])),
    );
    return {
      succeeded,
      exchanges: replies.map(({ text }) => text),
      codes: [...new Set(replies.flatMap(({ body }) => /"code":"(\w+)"/.exec(body)?.[1] ?? []))],
      log: recorder.logOf([...requestIds, ...[...records()].map((name) => name.slice(0, 8))]),
    };
  } finally {
    for (const name of records()) {
      const { arcgis } = (await auth.store.admin.end(name)) ?? {};
      if (arcgis) await auth.revoke(arcgis);
    }
  }
}

/** What a user does at the sandbox portal: allows the app. Returns the callback's path and query. */
export async function allow({ origin, pathname, searchParams }: URL, username: string): Promise<string> {
  const body = new URLSearchParams([...searchParams, ["username", username]]);
  const { headers } = await fetch(origin + pathname, { method: "POST", body, redirect: "manual" });
  const callback = new URL(headers.get("location") ?? "");
  if (!callback.searchParams.has("code")) throw new Error("the portal has issued no code");
  return callback.pathname + callback.search;
}
