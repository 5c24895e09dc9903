import express, { type Request, type RequestHandler, type Router } from "express";
import type { Logger } from "pino";
import type { Config } from "../app/config/config.ts";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import type { Revocations } from "../arcgis/revocations.ts";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { redirect } from "../redirect.ts";
import type { FormTokens } from "../session/form-token.ts";
import { type OwnSessions, ownSessions } from "../session/own-sessions.ts";
import { recordName } from "../session/sealed-record.ts";
import { type SealedStore, unavailable } from "../session/sealed-store.ts";
import { allowOnly } from "../web.ts";
import { isFromOurPage } from "./fetch-metadata.ts";
import { renderSignIns } from "./views.ts";

export interface SignInsParts {
  config: Config;
  store: SealedStore;
  forms: FormTokens;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  /** Signs the request out when the portal has ended the account. */
  recheck: RequestHandler;
  /** Gives `req.session` of somebody who is signed in, and sends others to the sign-in. */
  requireSignIn: RequestHandler;
  revocations: Revocations;
  log: Logger;
}

/** Where else a person is signed in, and how to put an end to it: in a browser they have lost, or left open. */
export function signIns({
  config,
  store,
  forms,
  withSession,
  recheck,
  requireSignIn,
  revocations,
  log,
}: SignInsParts): Router {
  const router = express.Router();
  const own = ownSessions(store.inventory);

  /** GET /sign-ins - the person's sign-ins, this one first. */
  router.get("/sign-ins", requireSignIn, async (req, res) => {
    const { here, others, isComplete } = await ownOf(req, own);
    const { identity, profile } = req.session;
    renderSignIns(res, {
      person: { fullName: profile?.fullName ?? "", username: identity?.username ?? "" },
      formToken: forms.make(req.sessionID),
      here,
      others,
      isComplete,
    });
  });

  /**
   * POST /sign-ins - ends another sign-in of the same person, `session` (its `name`), or all of them ("others"), and
   * revokes the tokens at the portal. The form names one of the list that the person would see now: whatever else
   * it names, nothing ends.
   */
  const form = express.urlencoded({ extended: false, limit: "8kb" });
  router.post("/sign-ins", form, withSession, recheck, async (req, res) => {
    const { identity } = req.session;
    if (!identity) throw new AppError("signed_out");
    const sentHere = isFromOurPage(req, config.origin);
    if (!sentHere || !forms.check(req.body?.form_token, req.sessionID)) throw new AppError("form_refused");

    const { session } = req.body;
    const { others } = await ownOf(req, own);
    const chosen = others.filter(({ name }) => session === "others" || session === name);
    const taken: IdentityManager[] = [];
    let trouble: unknown;
    const endAll = async () => {
      // First all of them here: a portal that is slow, or down, keeps nobody signed in.
      await Promise.all(chosen.map(({ name }) => end(name).catch(keep)));
      await revocations.revoke(...taken);
    };
    await revocations.expect(endAll());
    // What has ended is over, tokens and all, whatever became of the others.
    if (trouble) unavailable(trouble);
    redirect(res, `${req.baseUrl}/sign-ins`);

    async function end(name: string): Promise<void> {
      taken.push(...(await store.inventory.end(name)));
      const { requestId } = res.locals;
      log.info(
        { requestId, event: "sign-out", record: name.slice(0, 8), address: req.ip, user: identity?.username },
        "signed out elsewhere",
      );
      counts.signOuts.add("all");
    }

    function keep(error: unknown): void {
      trouble = error;
    }
  });

  router.all("/sign-ins", allowOnly("GET, HEAD, POST"));
  return router;
}

/** The session of this request, and the others of the same person. */
async function ownOf({ session: { identity }, sessionID }: Request, own: OwnSessions) {
  if (!identity) throw new AppError("signed_out");
  const name = recordName(sessionID);
  const { sessions, isComplete } = await own.of(identity, name).catch(unavailable);
  return {
    here: sessions.find((session) => session.name === name),
    others: sessions.filter((session) => session.name !== name),
    isComplete,
  };
}
