import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Request } from "express";
import { displayName, type UserNames } from "./text.ts";

/** The functions that templates call, for one language. */
export type Language = ReturnType<typeof languageOf>;

/** By the name of the catalog; English comes first, for visitors whose languages have none. */
export type Languages = ReadonlyMap<string, Language>;

type Values = Record<string, unknown>;
type Catalog = Record<string, string>;

const rightToLeft = /^(?:ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/;

/**
 * Reads the catalogs: `{language}.json` with the texts by key. A text that is missing comes from the catalog of an earlier
 * folder, from the language without its region, or from English. `{name}` is replaced by a value, and `[...]` is a part
 * that the template puts into a link or another element.
 * @throws Error that names the file when a text has other `{names}` or `[parts]` than the English one
 */
export function readLanguages(folders: readonly string[]): Languages {
  const [ours = ""] = folders;
  const english: Catalog = JSON.parse(readFileSync(join(ours, "en.json"), "utf8"));
  const catalogs = new Map([["en", english]]);
  for (const path of folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))) {
    if (!path.endsWith(".json")) continue;
    try {
      const [lang = ""] = Intl.getCanonicalLocales(basename(path, ".json"));
      const catalog: Catalog = JSON.parse(readFileSync(path, "utf8"));
      check(catalog, english);
      catalogs.set(lang, { ...catalogs.get(lang), ...catalog });
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
  }
  return new Map(
    [...catalogs].map(([lang, catalog]) => {
      const wider = catalogs.get(lang.replace(/-.*/, ""));
      return [lang, languageOf(lang, { ...catalogs.get("en"), ...wider, locale: lang, ...catalog })];
    }),
  );
}

/** @throws Error unless each text has the same values and parts as the English one */
function check(catalog: Catalog, english: Catalog): void {
  const marks = (text: string) => (text.match(/\{\w+\}|[[\]]/g) ?? []).sort().join("");
  for (const [key, text] of Object.entries(catalog)) {
    if (typeof text !== "string") throw new Error(`"${key}" is not text.`);
    const expected = marks(english[key] ?? text);
    if (marks(text) !== expected)
      throw new Error(`"${key}" must have these values and parts: ${expected || "none"}`);
  }
}

function languageOf(lang: string, catalog: Catalog) {
  const texts = new Map(Object.entries(catalog));
  const locale = texts.get("locale") ?? lang;
  const dateFormat = new Intl.DateTimeFormat(locale, {
    ...{ day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
    ...{ timeZone: "UTC", timeZoneName: "short" },
  });
  const formatOf = (unit: string) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long", useGrouping: false });
  const formats = { hour: formatOf("hour"), day: formatOf("day") };
  const ago = new Intl.RelativeTimeFormat(locale);
  const minutesAgo = new Intl.RelativeTimeFormat(locale, { style: "short" });
  const split = new Map([...texts].map(([key, text]) => [key, text.split(/[[\]]/)]));

  /** The text of a key, with its values. Other text, such as an operator's own, is returned unchanged. */
  function t(key: string, values?: Values): string {
    return fill(texts.get(key) ?? key, values);
  }

  return {
    lang,
    dir: rightToLeft.test(lang) ? "rtl" : "ltr",
    /** For `Intl` in the page's scripts. English is en-GB, which has a 24-hour clock. */
    locale,
    t,
    /** The text of a key, split at each `[...]`: before, inside, after. */
    parts: (key: string, values?: Values) => (split.get(key) ?? [key]).map((part) => fill(part, values)),
    /** The texts of all keys with this prefix, for a script of the page. */
    textsOf: (prefix: string) =>
      Object.fromEntries(
        [...texts].flatMap(([key, text]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), text]] : [],
        ),
      ),
    dateText: (date: Date | number) => dateFormat.format(date),
    /** A length of time in milliseconds, rounded down, as people say it: "27 min", "5 hours", "13 days". */
    durationText(ms: number): string {
      const [count, unit] = rounded(ms);
      if (count < 1) return t("time.underAMinute");
      return unit === "minute" ? t("time.minutes", { minutes: count }) : formats[unit].format(count);
    },
    /** The same as a time in the past: "5 hours ago". */
    agoText(ms: number): string {
      const [count, unit] = rounded(ms);
      if (count < 1) return t("time.underAMinuteAgo");
      return (unit === "minute" ? minutesAgo : ago).format(-count, unit);
    },
    /** The user's full name, or else the user name. */
    nameOf: (user: UserNames) => displayName(user.fullName) || displayName(user.username) || t("page.noName"),
    /** The usual name of an ArcGIS role; the name of a custom role as it is; "" without one. */
    roleName: (role = "") => texts.get(`role.${role}`) ?? displayName(role),
    /** A browser as browser-name.ts writes it, such as "Firefox on Linux". */
    browserText(name?: string): string {
      if (name === undefined) return t("browser.unknown");
      const [browser = "", system] = name.split(" on ");
      if (system === undefined) return browser;
      const some = browser === "A browser" ? t("browser.some") : browser;
      return t("browser.onSystem", { browser: some, system });
    },
  };
}

function fill(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "")) : text;
}

function rounded(ms: number): [count: number, unit: "minute" | "hour" | "day"] {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 120) return [minutes, "minute"];
  return minutes < 48 * 60 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
}

/** The language of a response: the one that the visitor's browser prefers among those that have a catalog. */
export function languageFor<T>(req: Request, languages: ReadonlyMap<string, T>): T {
  const lang = req.acceptsLanguages([...languages.keys()]) || "en";
  return languages.get(lang) as T;
}
