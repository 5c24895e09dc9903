import { parseCookie } from "cookie";
import express, { type Request } from "express";
import { allowOnly } from "../../app/allow-only.ts";
import type { Config } from "../../app/config/config.ts";
import type { Site } from "../../app/create-app.ts";
import { AppError } from "../../app/errors.ts";
import { allowForms, render } from "../../app/pages/views.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { attacks } from "./attacks.ts";
import { excerptAt } from "./excerpts.ts";
import { hopsOf } from "./hops.ts";
import { openRecorder } from "./recorder.ts";
import { runAttack } from "./stage.ts";

const cookieName = "how";

/**
 * The page where the users of the demo look inside their own sign-in, and attack it. It needs the sandbox portal in the
 * same process: its log shows what the server sent.
 */
export function lookInside({ config, sandbox }: { config: Config; sandbox: Sandbox }): (site: Site) => void {
  return ({ router, auth }) => {
    const recorder = openRecorder(config, sandbox, auth.store.admin.nameOf);
    const scene = { config, sandbox, auth, recorder };

    /**
     * GET /how - the reader's own sign-in, hop by hop, with the attacks on each; after the sign-out, too. A visitor is
     * asked to sign in.
     */
    router.get("/how", async (req, res) => {
      const user = await req.arcgis.validate();
      const story = user
        ? await storyOf(req)
        : recorder.ofReader(parseCookie(req.headers.cookie ?? "")[cookieName]);
      if (user && story)
        res.cookie(cookieName, story.reader, { httpOnly: true, sameSite: "lax", path: `${req.baseUrl}/how` });
      const hops = story ? await hopsOf(story, scene) : [];
      const { csrfToken } = req.arcgis;
      allowForms(res);
      render(res, "how", "how.title", {
        hops: hops.map((hop) => ({
          ...hop,
          shown: hop.shown.filter(Boolean),
          sources: hop.sources.map(excerptAt),
          attacks: attacks
            .filter(({ id }) => hop.attacks.includes(id))
            .map((attack) => ({ ...attack, outcome: story?.outcomes.get(attack.id) })),
        })),
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
        const wanted = req.body.try;
        const attack = attacks.find(({ id }) => id === wanted);
        if (!attack && wanted !== "refresh") throw new AppError("bad_request");
        const { outcomes } = await storyOf(req);
        if (attack) outcomes.set(attack.id, await runAttack(attack, scene));
        else
          await auth.store.update(req.sessionID, ({ arcgis }) => {
            arcgis?.updateToken(arcgis.token, new Date());
          });
        res.status(303).set("Location", `${req.baseUrl}/how#${wanted}`).end();
      },
    );

    router.all("/how", allowOnly("GET, HEAD, POST"));

    /** Of a signed-in user. Their access token is refreshed first, if it has to be. */
    async function storyOf(req: Request) {
      const { refreshToken } = await req.arcgis.identity();
      return Object.assign(recorder.of(req.arcgis.sessionName ?? ""), { refreshToken });
    }
  };
}
