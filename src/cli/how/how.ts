import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseCookie } from "cookie";
import express, { type Request } from "express";
import { allowOnly } from "../../app/allow-only.ts";
import type { Config } from "../../app/config/config.ts";
import type { Site } from "../../app/create-app.ts";
import { AppError } from "../../app/errors.ts";
import { allowForms, render } from "../../app/pages/views.ts";
import type { ArcGISAuth } from "../../index.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { attacks } from "./attacks.ts";
import { excerptAt, type Marker } from "./excerpts.ts";
import { openRecorder } from "./recorder.ts";
import { carryOut, type Outcome, type Scene } from "./stage.ts";
import { brief } from "./wire.ts";

const cookieName = "how";

/** The texts of the page: the hops of a sign-in, in order, and the attacks on each. */
const hops: { id: string; sources: Marker[]; attacks: { id: string; source: Marker }[] }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../views/how.json"), "utf8"),
);

/** What the page remembers of a session, also after the sign-out. */
interface Story {
  /** The name of the session's record. */
  name: string;
  /** The latest that the session had: finds its requests in the portal's log. */
  refreshToken: string | undefined;
  /** By the ID of the attack. */
  outcomes: Map<string, Outcome>;
}

/**
 * The page where the users of the demo look inside their own sign-in, and attack it. It needs the sandbox portal in the
 * same process: its log shows what the server sent.
 */
export function lookInside({ config, sandbox }: { config: Config; sandbox: Sandbox }): (site: Site) => void {
  return ({ router, auth }) => {
    const recorder = openRecorder(config, sandbox, auth.store.admin.nameOf);
    const scene = { config, sandbox, auth, recorder };
    const stories = new Map<string, Story>();

    /**
     * GET /how - the reader's own sign-in, hop by hop, with the attacks on each; after the sign-out, too. A visitor is
     * asked to sign in.
     */
    router.get("/how", async (req, res) => {
      const user = await req.arcgis.validate();
      // After the sign-out, the browser has no other cookie.
      const name = parseCookie(req.headers.cookie ?? "")[cookieName] ?? "";
      const story = user ? await storyOf(req) : stories.get(name);
      if (user && story)
        res.cookie(cookieName, story.name, { httpOnly: true, sameSite: "lax", path: `${req.baseUrl}/how` });
      const { csrfToken } = req.arcgis;
      allowForms(res);
      render(res, "how", "how.title", {
        hops: story ? await withStory(story, scene) : [],
        csrfToken,
        styles: ["how.css"],
        signInHref: req.arcgis.signInUrl("/how"),
        header: user && { user, csrfToken },
      });
    });

    /**
     * POST /how - `try` is the ID of an attack, which is carried out against this server; or `refresh`, which lets the
     * access token of this session expire. Then 303 to GET /how. 401 signed out, 403 csrf, 400 for another value.
     */
    router.post(
      "/how",
      auth.requireSignIn(),
      express.urlencoded({ extended: false, limit: "8kb" }),
      async (req, res) => {
        req.arcgis.verifyForm();
        const wanted = String(req.body.try);
        const attack = Object.hasOwn(attacks, wanted) && attacks[wanted];
        if (!attack && wanted !== "refresh") throw new AppError("bad_request");
        const { outcomes } = await storyOf(req);
        if (attack) outcomes.set(wanted, await carryOut(attack, scene));
        else
          await auth.store.update(req.sessionID, ({ arcgis }) => {
            arcgis?.updateToken(arcgis.token, new Date());
          });
        res.status(303).set("Location", `${req.baseUrl}/how#${wanted}`).end();
      },
    );

    router.all("/how", allowOnly("GET, HEAD, POST"));

    /** Of a signed-in user. Their access token is refreshed first, if it has to be. */
    async function storyOf(req: Request): Promise<Story> {
      const { refreshToken } = await req.arcgis.identity();
      const { sessionName: name = "" } = req.arcgis;
      const story = { name, refreshToken, outcomes: stories.get(name)?.outcomes ?? new Map() };
      stories.set(name, story);
      return story;
    }
  };
}

/** The hops with what was sent at each, or found; nothing, as long as it has not happened. */
async function withStory({ name, refreshToken, outcomes }: Story, { config, auth, recorder }: Scene) {
  const sent = recorder.sentIn(name);
  const found: Record<string, string | undefined> = {
    file: fileText(join(config.sessionDir, `${name}.session`)),
    "next-request": await recordText(name, auth),
    refresh: recorder.portalRequest("token", "refresh_token", refreshToken),
    "sign-out": recorder.portalRequest("revokeToken", "auth_token", refreshToken),
  };
  return hops.map((hop) => ({
    ...hop,
    shown: [sent[hop.id], found[hop.id]].filter(Boolean),
    sources: hop.sources.map(excerptAt),
    attacks: hop.attacks.map((attack) => ({
      ...attack,
      source: excerptAt(attack.source),
      outcome: outcomes.get(attack.id),
    })),
  }));
}

function fileText(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return `${path}\nThere is no such file: the session has ended.`;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const begin = readFileSync(path, "latin1").slice(0, 48);
  return `${path}\n${stats.size} bytes, mode ${mode}, last used at ${stats.mtime.toISOString()}\n${begin}…`;
}

/** What is in the record, when the server opens it. */
async function recordText(name: string, { store }: ArcGISAuth): Promise<string | undefined> {
  const record = await store.admin.inspect(name);
  if (!record || "problem" in record) return undefined;
  const { arcgis } = record.data;
  return [
    `In the file: ${Object.keys(record.data).join(", ")}`,
    `user name: ${arcgis?.username}`,
    `access token: ${brief(arcgis?.token ?? "")}, to refresh at ${arcgis?.tokenExpires?.toISOString()}`,
    `refresh token: ${brief(arcgis?.refreshToken ?? "")}, until ${arcgis?.refreshTokenExpires?.toISOString()}`,
  ].join("\n");
}
