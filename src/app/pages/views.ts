import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import type { Response } from "express";
import { version } from "./assets.ts";
import { type Languages, languageFor, readLanguages } from "./languages.ts";
import * as text from "./text.ts";

const ourFolder = join(import.meta.dirname, "../../../views");

/** The signed-in user, and the CSRF token of the page's forms (field `csrf_token`). */
export interface SignedIn {
  user: text.UserNames;
  csrfToken: string;
}

const usual = {
  notice: undefined,
  tokenHandover: false,
  account: "/",
  header: undefined,
  styles: [],
  wide: false,
};

/** The compiled pages of an app, in all languages: `app.locals.views`. */
export interface Views {
  /** Below it are the names of the templates in EJS's cache. */
  root: string;
  languages: Languages;
}

/** Reads and compiles everything: a page never waits for the disk, not even when it fails. */
export function openViews(): Views {
  const languages = readLanguages([join(ourFolder, "locales")]);
  /** All that templates may name. Named at compile time, they need no slow `with`. */
  const localNames = [
    ...Object.keys({ ...text, ...languages.get("en"), ...usual }),
    ..."base title version user portal others links now csrfToken look where".split(" "),
    ..."tokenExpires signInExpires signInHref anotherHref choices params here isComplete".split(" "),
    ..."status code needed action requestId mapSettings layers app origins host items page pages".split(" "),
  ];
  for (const folder of [ourFolder, join(ourFolder, "partials")]) {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".ejs"))) {
      const filename = join(folder, name);
      const options = {
        filename,
        cache: true,
        root: ourFolder,
        _with: false,
        destructuredLocals: localNames,
      };
      ejs.cache.set(filename, ejs.compile(flat(filename), options));
    }
  }
  return { root: ourFolder, languages };
}

/** A template with its partials inside, but for those that get locals of their own: an include is slow. */
function flat(filename: string): string {
  return readFileSync(filename, "utf8").replace(/<%- include\("([\w/-]+)"\) -%>\n/g, (_, partial: string) =>
    flat(join(ourFolder, `${partial}.ejs`)),
  );
}

/**
 * Sends a page in the visitor's language. Its template has the functions of text.ts and of a `Language`: what a portal or
 * a visitor wrote goes through `displayName`.
 * Not by `res.render`: an app around this one may have another engine for .ejs, and its `res.locals` would leak in.
 * @param title a key of the catalogs
 */
export function render(
  res: Response,
  view: string,
  title: string,
  locals: Record<string, unknown> = {},
): void {
  const { notice, tokenHandover, account, views } = res.app.locals;
  const { root, languages }: Views = views;
  const template = ejs.cache.get(join(root, `${view}.ejs`)) as ejs.TemplateFunction;
  const language = languageFor(res.req, languages);
  const common = { ...text, ...language, ...usual, notice, tokenHandover, account, version };
  res.vary("Accept-Language");
  res.send(template({ base: res.req.baseUrl, ...common, title: language.t(title, locals), ...locals }));
}

/** From a page that gives no referrer a browser sends its form with "Origin: null", as if it came from anywhere. */
export function allowForms(res: Response): void {
  res.set("Referrer-Policy", "same-origin");
}

/** Sends the page that asks before a sign-out. */
export function renderConfirm(res: Response, { user, csrfToken }: SignedIn): void {
  allowForms(res);
  render(res, "confirm", "confirm.title", { csrfToken, header: { user } });
}
