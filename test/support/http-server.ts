import type { Site } from "./site.ts";

export const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");

/** The log's lines about what never reached the app. */
export const refusals = ({ log }: Site) =>
  log.lines.filter(({ event, code }) => event === "refused" && code === undefined);
