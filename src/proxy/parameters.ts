/** The token travels in a header; and what `callback` asks for (JSONP) would be a script of our own site. */
const ours = ["token", "callback"];

/** The names that ArcGIS gives to answers for people. */
const pages = ["", "html"];

/** Paths that are files: there is no format to ask for. */
const file = /\/(?:tile\/\d+\/\d+\/\d+|attachments\/\d+|data)$|\.(?:png|jpe?g|gif|webp|pbf|zip|csv|pdf)$/i;

/** A query or a form without the parameters that are not the client's to set; the others stay as they were written. */
export function withoutOurs(pairs: string): string {
  return pairs
    .split("&")
    .filter((pair) => pair.length > 0 && !ours.includes(nameOf(pair)))
    .join("&");
}

/**
 * Asks for JSON where ArcGIS would answer with a page: pages show what other people have written.
 *
 * @param destination Fetch Metadata's word for what the browser is going to do with the answer: an `image` is no page
 */
export function asJson(url: URL, destination = "empty"): void {
  const pairs = url.search.slice(1).split("&").filter(Boolean);
  const [format, ...more] = pairs.filter((pair) => nameOf(pair) === "f");
  const isGiven = format !== undefined && more.length === 0 && !pages.includes(textOf(format));
  const isForPages = ["empty", "document", "iframe", "frame"].includes(destination);
  const isFile = format === undefined && (file.test(url.pathname) || !isForPages);
  if (isGiven || isFile) return;
  url.search = [...pairs.filter((pair) => nameOf(pair) !== "f"), "f=json"].join("&");
}

function nameOf(pair: string): string {
  const [name = ""] = pair.split("=", 1);
  // Longer than any of ours, however it is encoded: not worth decoding.
  return name.length > 64 ? name : decoded(name);
}

function textOf(pair: string): string {
  return decoded(pair.slice(pair.indexOf("=") + 1 || pair.length));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " ")).trim().toLowerCase();
  } catch {
    return text.toLowerCase();
  }
}
