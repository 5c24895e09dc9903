import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import type { Response } from "express";
import { version } from "./assets.ts";
import * as text from "./text.ts";

const viewsFolder = join(import.meta.dirname, "../../../views");

/** The signed-in user, and the CSRF token of the page's forms (field `csrf_token`). */
export interface SignedIn {
  user: text.UserNames;
  csrfToken: string;
}

const templateFunctions = { ...text };
const usual = {
  notice: undefined,
  tokenHandover: false,
  account: "/",
  header: undefined,
  styles: [],
  wide: false,
};
/** All that templates may name. Named at compile time, they need no slow `with`. */
const localNames = [
  ...Object.keys({ ...templateFunctions, ...usual }),
  ..."base title version user portal others links now csrfToken look where".split(" "),
  ..."tokenExpires signInExpires signInHref anotherHref choices params here isComplete".split(" "),
  ..."status code text needed action requestId mapSettings layers app origins host items page pages".split(
    " ",
  ),
];

/** Compiles the templates: a page never waits for the disk, not even when it fails. */
export function compileViews(): void {
  for (const folder of [viewsFolder, join(viewsFolder, "partials")]) {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".ejs"))) {
      const filename = join(folder, name);
      const options = {
        filename,
        cache: true,
        root: viewsFolder,
        _with: false,
        destructuredLocals: localNames,
      };
      ejs.cache.set(filename, ejs.compile(flat(filename), options));
    }
  }
}

/** A template with its partials inside, but for those that get locals of their own: an include is slow. */
function flat(filename: string): string {
  return readFileSync(filename, "utf8").replace(/<%- include\("([\w/-]+)"\) -%>\n/g, (_, partial: string) =>
    flat(join(viewsFolder, `${partial}.ejs`)),
  );
}

/**
 * Sends a page. Its template has the functions of text.ts: what a portal or a visitor wrote goes through `displayName`.
 * Not by `res.render`: an app around this one may have another engine for .ejs, and its `res.locals` would leak in.
 */
export function render(res: Response, view: string, title: string, locals: object = {}): void {
  const template = ejs.cache.get(join(viewsFolder, `${view}.ejs`)) as ejs.TemplateFunction;
  const { notice, tokenHandover, account } = res.app.locals;
  const common = { ...templateFunctions, ...usual, notice, tokenHandover, account, title, version };
  res.send(template({ base: res.req.baseUrl, ...common, ...locals }));
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
