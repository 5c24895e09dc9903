import { existsSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import helmet from "helmet";
import type { Given } from "./problems.ts";
import { fileKeys } from "./secret-files.ts";
import { text } from "./setting-types.ts";

/** A content security policy as it is written in a header (CSP Level 3, 2.2). */
export const contentPolicy = text(
  "Write it as in the header: default-src 'self'; img-src 'self' data:",
  [/^[\x20-\x7e]+$/, "must be one line of plain text."],
  [isContentPolicy, "lacks a default-src, has a directive twice, or a keyword such as self without quotes."],
);

/** helmet rejects what browsers would misread. */
function isContentPolicy(policy: string): boolean {
  const directives = policy.split(";").flatMap((directive) => {
    const [name = "", ...values] = directive.trim().split(/ +/);
    return name === "" ? [] : [[name.toLowerCase(), values] as const];
  });
  const byName = Object.fromEntries(directives);
  try {
    helmet.contentSecurityPolicy({ useDefaults: false, directives: byName });
    return Object.keys(byName).length === directives.length;
  } catch {
    return false;
  }
}

/**
 * What is wrong with the folder of SITE_DIR: there is no site in it, or users could get the server's secrets.
 * @param files which contain the settings
 */
export function siteProblems(given: ReadonlyMap<string, Given>, cwd: string, files: string[]): string[] {
  const pathOf = (key: string, usual: unknown = undefined): string | undefined => {
    const value = given.get(key)?.value ?? usual;
    return typeof value === "string" ? realPath(resolve(cwd, value)) : undefined;
  };
  const site = pathOf("SITE_DIR");
  const sessions = pathOf("SESSION_DIR", "./sessions");
  if (site === undefined || sessions === undefined) return [];
  const secrets = [...files, ...fileKeys.map((key) => pathOf(`${key}_FILE`) ?? "")];
  const checks: [problem: string, hasIt: () => boolean][] = [
    [
      "contains a file with the server's settings.",
      () => secrets.some((path) => existsSync(path) && isInside(realPath(path), site)),
    ],
    ["contains the folder of SESSION_DIR.", () => isInside(sessions, site)],
    ["is in the folder of SESSION_DIR.", () => isInside(site, sessions)],
    ["contains no index.html that the server can read.", () => !existsSync(join(site, "index.html"))],
  ];
  const [problem] = checks.find(([, hasIt]) => hasIt()) ?? [];
  const fix =
    "Enter the path of a folder with the site and nothing else, such as the one that your build writes.";
  return problem ? [`SITE_DIR: ${problem} ${fix}`] : [];
}

/** Whether a path is that of the folder, or below it. */
function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`);
}

/** The real path, also of a folder that does not exist yet. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync.native(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), relative(parent, path));
}
