import express, { type RequestHandler, type Router } from "express";
import type { Config } from "../config.ts";
import type { FormTokens } from "../session/form-token.ts";
import { allowOnly } from "../web.ts";
import type { AutoSignIn } from "./auto-sign-in.ts";
import { renderHome } from "./views.ts";

export interface PagesParts {
  config: Config;
  forms: FormTokens;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  auto: AutoSignIn;
}

/** The pages people look at. */
export function pages({ config, forms, withSession, auto }: PagesParts): Router {
  const router = express.Router();

  /** GET / - the start page: a link to the sign-in, or who is signed in and for how long. */
  router.get("/", withSession, auto.attempt, (req, res) => {
    const { identity, profile, cookie } = req.session;
    if (!identity) return renderHome(res, { portal: config.portal });
    renderHome(res, {
      person: { ...profile, fullName: profile?.fullName ?? "", username: identity.username },
      portal: config.portal,
      tokenExpires: identity.tokenExpires,
      signInExpires: cookie.expires ?? identity.refreshTokenExpires,
      formToken: forms.make(req.sessionID),
    });
  });

  router.all("/", allowOnly("GET, HEAD"));
  return router;
}
