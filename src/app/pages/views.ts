import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import type { Express, Response } from "express";
import { version } from "./assets.ts";
import * as text from "./text.ts";

const viewsFolder = join(import.meta.dirname, "../../../views");

/** The signed-in user, and the CSRF token of the page's forms (field `csrf_token`). */
export interface SignedIn {
  user: text.UserNames;
  csrfToken: string;
}

/** Makes `app` render our pages. They are compiled now: a page never waits for the disk, not even when it fails. */
export function views(app: Express): void {
  for (const folder of [viewsFolder, join(viewsFolder, "partials")]) {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".ejs"))) {
      const filename = join(folder, name);
      // With a root, "/partials/..." needs no look at the disk; a relative path would cost one at every request.
      const options = { filename, cache: true, root: viewsFolder };
      ejs.cache.set(filename, ejs.compile(readFileSync(filename, "utf8"), options));
    }
  }
  // Named, because an app that we are mounted in may have an engine of its own for .ejs, and we would inherit it.
  app.engine("ejs", ejs.renderFile);
  app.set("view engine", "ejs");
  app.set("views", viewsFolder);
  app.enable("view cache");
}

const templateFunctions = { ...text };

/**
 * Sends a page. Its template has the functions of text.ts: what a portal or a visitor wrote goes through `displayName`.
 * Locals that a page does not use are named, too, or the `res.locals` of an app around this one would leak in.
 */
export function render(res: Response, view: string, title: string, locals: object = {}): void {
  const { notice, tokenHandover = false } = res.app.locals;
  const usual = { title, notice, tokenHandover, version, header: undefined, styles: [], wide: false };
  res.render(view, { base: res.req.baseUrl, ...templateFunctions, ...usual, ...locals });
}

/** From a page that gives no referrer a browser sends its form with "Origin: null", as if it came from anywhere. */
export function allowForms(res: Response): void {
  res.set("Referrer-Policy", "same-origin");
}

/** Sends the page that asks before a sign-out. */
export function renderConfirm(res: Response, { user, csrfToken }: SignedIn): void {
  allowForms(res);
  render(res, "confirm", "Sign out", { csrfToken, header: { user } });
}
