import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import type { Response } from "express";
import { type Config, ConfigError } from "../config/config.ts";
import { suggestionFor } from "../config/suggestion.ts";
import { openAssets, ourFolder } from "./assets.ts";
import { type Languages, languageFor, readLanguages } from "./languages.ts";
import * as text from "./text.ts";

/** The signed-in user, and the CSRF token of the page's forms (field `csrf_token`). */
export interface SignedIn {
  user: text.UserNames;
  csrfToken: string;
}

const usual = {
  header: undefined,
  styles: [],
  wide: false,
  look: "button plain",
};

/** The templates by their names. */
type Pages = Map<string, ejs.TemplateFunction>;

/** Our own texts and templates, which all apps of a process share. */
let ours: { languages: Languages; pages: Pages } | undefined;

/** The compiled pages of an app in all languages, and their data: `app.locals.views`. */
export interface Views extends ReturnType<typeof openViews> {}

/** The path of the start page; with SITE_DIR, the folder has `/`. */
export function accountPath({ siteDir }: Partial<Config>): string {
  return siteDir === undefined ? "/" : "/account";
}

/**
 * Reads and compiles everything at the start, so that no page, not even an error page, waits for the disk. Templates, texts
 * and assets of VIEWS_DIR replace ours, file by file.
 * @param notice see AppOptions
 * @throws ConfigError for a file there that cannot be used
 */
export function openViews(config: Partial<Config> = {}, notice?: string) {
  const { appName = "ArcGIS Sign-In", appLogo, appColor, tokenHandover = false, viewsDir } = config;
  const folders = [ourFolder, ...(viewsDir === undefined ? [] : [viewsDir])];
  try {
    const read = () => readLanguages(folders.map((folder) => join(folder, "locales")).filter(existsSync));
    const languages = viewsDir === undefined && ours ? ours.languages : read();
    const { version, router } = openAssets(config);
    const everywhere = {
      ...{ ...usual, notice, tokenHandover, account: accountPath(config), appName },
      logo: appLogo && `/assets/${version}/logo`,
      hasColors: appColor !== undefined,
      version,
    };
    const names = Object.keys({ ...languages.get("en"), ...everywhere });
    const ourPages = ours?.pages ?? compile([ourFolder], names);
    if (viewsDir === undefined) ours = { languages, pages: ourPages };
    return {
      /** By its name; `ourPages` has none of VIEWS_DIR. */
      pages: viewsDir === undefined ? ourPages : compile(folders, names),
      ourPages,
      /** What all pages need, in one object for each language. */
      languages: new Map(
        [...languages].map(([lang, language]) => [lang, { ...text, ...language, ...everywhere }]),
      ),
      assets: router,
    };
  } catch (cause) {
    if (viewsDir === undefined) throw cause;
    throw new ConfigError([`VIEWS_DIR: ${(cause as Error).message}`]);
  }
}

/** Compiles the templates of all folders; a later folder's replaces an earlier one's. Names are below the last folder. */
function compile(folders: string[], functions: string[]): Pages {
  const files = new Map(
    folders.flatMap((folder) => templatesIn(folder).map((name) => [name, join(folder, name)])),
  );
  const root = folders.at(-1) ?? ourFolder;
  /** All variables of templates. Named at compile time, they need no slow `with`. */
  const localNames = [
    ...Object.keys(text),
    ...functions,
    ..."base title user portal others links now csrfToken where".split(" "),
    ..."tokenExpires signInExpires signInHref anotherHref choices params here isComplete hops".split(" "),
    ..."status code needed action requestId mapSettings layers app origins host items page pages".split(" "),
  ];
  const ourNames = templatesIn(ourFolder);
  const pages: Pages = new Map();
  for (const name of files.keys()) {
    const filename = join(root, name);
    // The locals have no prototype, so EJS need not copy them.
    const fast = { cache: true, _with: false, unsafePrototypeLocals: true };
    const options = { ...fast, filename, root, destructuredLocals: localNames };
    try {
      if (!name.includes("/") && !ourNames.includes(name)) {
        const meant = suggestionFor(name, ourNames);
        throw new Error(`takes the place of none of our pages.${meant ? ` Did you mean ${meant}?` : ""}`);
      }
      const page = ejs.compile(flat(name), options);
      pages.set(name.replace(/\.ejs$/, ""), page);
      // Where includes look for it.
      ejs.cache.set(filename, page);
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message.split("\n", 1)}`, { cause });
    }
  }
  return pages;

  /** Inlines the partials of a template, except those with locals of their own, because an include is slow. */
  function flat(name: string): string {
    const source = readFileSync(files.get(name) ?? join(root, name), "utf8");
    return source.replace(/<%- include\("\/([\w/-]+)"\) -%>\n/g, (_, partial: string) =>
      flat(`${partial}.ejs`),
    );
  }
}

function templatesIn(folder: string): string[] {
  return ["", "partials/"]
    .filter((part) => existsSync(join(folder, part)))
    .flatMap((part) => readdirSync(join(folder, part)).map((name) => part + name))
    .filter((name) => name.endsWith(".ejs"));
}

/**
 * Sends a page in the visitor's language. Its template has the functions of text.ts and of a `Language`: what a portal or
 * a visitor wrote goes through `displayName`.
 * Not by `res.render`: an app around this one may have another engine for .ejs, and its `res.locals` would leak in.
 * @param titleKey a key of the catalogs
 */
export function render(
  res: Response,
  view: string,
  titleKey: string,
  locals: Record<string, unknown> = {},
): void {
  const { pages, ourPages, languages }: Views = res.app.locals.views;
  const language = languageFor(res.req, languages);
  const title = language.t(titleKey, locals);
  // Without a prototype, so that EJS need not copy them.
  const all = Object.assign(Object.create(null), language, { base: res.req.baseUrl, title }, locals);
  res.vary("Accept-Language");
  const send = (page: unknown) => {
    const html = (page as ejs.TemplateFunction)(all);
    res.setHeader("Content-Type", "text/html; charset=utf-8");
    // `res.send` would make a buffer of it: one more copy, and one more part to write.
    res.end(html);
  };
  try {
    send(pages.get(view));
  } catch (error) {
    // The error page must always work, so ours replaces one of VIEWS_DIR that has a mistake.
    if (view !== "error") throw error;
    send(ourPages.get(view));
  }
}

/** A page with "no-referrer" sends its forms with "Origin: null", like a form from another site. */
export function allowForms(res: Response): void {
  res.set("Referrer-Policy", "same-origin");
}

/** Sends the page that asks for confirmation before a sign-out. */
export function renderConfirm(res: Response, { user, csrfToken }: SignedIn): void {
  allowForms(res);
  render(res, "confirm", "confirm.title", { csrfToken, header: { user } });
}
