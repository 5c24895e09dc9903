import { join } from "node:path";
import { stringifyCookie } from "cookie";
import type { Config } from "../../app/config/config.ts";
import type { ArcGISAuth } from "../../index.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { type Client, openClient, type Reply } from "./client.ts";
import type { Recorder } from "./recorder.ts";

/** What the page is about. */
export interface Scene {
  config: Config;
  sandbox: Sandbox;
  auth: ArcGISAuth;
  recorder: Recorder;
}

/** `replies` are the responses that decide it. Rejects when the attack could not be carried out. */
export type Attack = (
  stage: ReturnType<typeof openStage>,
) => Promise<{ succeeded: boolean; replies: Reply[] }>;

/** What came of an attack. */
export type Outcome = Awaited<ReturnType<typeof carryOut>>;

/** What attacks work with: browsers of their own, and users of the sandbox portal. */
function openStage(scene: Scene) {
  const { config, sandbox, recorder } = scene;
  const browsers: Client[] = [];
  // With an organization, the others have no sign-in at the portal itself.
  const users = sandbox.users.filter(
    (user) => !sandbox.settings.organizationLogin || user.provider === "arcgis",
  );
  const [victim = "", attacker = victim] = users.map(({ username }) => username);
  /** @param stolenFrom a browser whose cookies it has, too */
  const browser = (stolenFrom?: Client) => {
    const client = openClient(config.origin, stolenFrom?.cookies);
    browsers.push(client);
    return client;
  };
  const recordOf = ({ cookies }: Client) => recorder.nameIn(stringifyCookie(cookies));
  return {
    ...{ ...scene, victim, attacker, browsers, browser },
    /** Signs in, all the way. */
    async signedIn(username: string): Promise<Client> {
      const client = browser();
      await client.send(await allow(await client.begin(), username));
      if (recordOf(client) === undefined) throw new Error("the victim could not sign in");
      return client;
    },
    /** The session file of a browser. */
    fileOf: (client: Client) => join(config.sessionDir, `${recordOf(client)}.session`),
    /** The sessions of all browsers. */
    records: () => [...new Set(browsers.flatMap((client) => recordOf(client) ?? []))],
  };
}

/**
 * Carries out an attack on this server over HTTP. Its sign-ins are its own, of users of the sandbox portal, and end with it.
 * Rejects when it could not be carried out.
 */
export async function carryOut(attack: Attack, scene: Scene) {
  const stage = openStage(scene);
  try {
    const { succeeded, replies } = await attack(stage);
    const all = stage.browsers.flatMap((client) => client.replies);
    const marks = all.map(({ headers }) => String(headers["x-request-id"]));
    return {
      succeeded,
      /** The requests and responses that decided it. */
      exchanges: replies.map(({ text }) => text),
      /** Codes of errors (docs/errors.md). */
      codes: [...new Set(replies.flatMap(({ body }) => /"code":"(\w+)"/.exec(body)?.[1] ?? []))],
      log: scene.recorder.logOf([...marks, ...stage.records().map((name) => name.slice(0, 8))]),
    };
  } finally {
    for (const name of stage.records()) {
      const { arcgis } = (await scene.auth.store.admin.end(name)) ?? {};
      if (arcgis) await scene.auth.revoke(arcgis);
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
