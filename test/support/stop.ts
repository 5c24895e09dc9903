import { connect } from "node:net";
import { type Browser, click } from "./browser.ts";
import { until } from "./user.ts";

/** Sends a request of this browser, and hangs up as soon as `isUnderWay`. */
export function abandon(
  url: string,
  path: string,
  browser: Browser,
  isUnderWay: () => boolean,
  form = "",
): void {
  const { hostname, port } = new URL(url);
  const headers = Object.entries({
    ...click,
    Host: `${hostname}:${port}`,
    Cookie: [...browser.cookies].map((pair) => pair.join("=")).join("; "),
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": form.length,
  }).map((header) => header.join(": "));
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write([`${form === "" ? "GET" : "POST"} ${path} HTTP/1.1`, ...headers, "", form].join("\r\n"));
  void until(isUnderWay, path).then(() => socket.destroy());
}
