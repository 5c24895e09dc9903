/**
 * The token travels in a header; and what `callback` asks for (JSONP) would be a script of our own site. The names
 * match in any case, with spaces around them, each letter percent-encoded or not.
 */
const ours =
  /^(?:[+\s]|%[01][\da-f]|%20)*(?:(?:t|%[75]4)(?:o|%[64]f)(?:k|%[64]b)(?:e|%[64]5)(?:n|%[64]e)|(?:c|%[64]3)(?:a|%[64]1)(?:l|%[64]c)(?:l|%[64]c)(?:b|%[64]2)(?:a|%[64]1)(?:c|%[64]3)(?:k|%[64]b))(?:[+\s]|%[01][\da-f]|%20)*$/i;
const format = /^(?:[+\s]|%[01][\da-f]|%20)*(?:f|%[64]6)(?:[+\s]|%[01][\da-f]|%20)*$/i;

/** Names that ArcGIS gives to pages for people. */
const pages = ["", "html"];

/** Paths that are files: there is no format to ask for. */
const file = /\/(?:tile\/\d+\/\d+\/\d+|attachments\/\d+|data)$|\.(?:png|jpe?g|gif|webp|pbf|zip|csv|pdf)$/i;

/** Longer than any of these names, however it is encoded. */
const longestName = 64;

const [ampersand, equals] = [0x26, 0x3d];

/** A query without the parameters that the client may not set; the others stay as they were written. */
export function withoutOurs(query: string): string {
  return without(query, ours);
}

/**
 * Makes a function that takes a query or a form chunk by chunk, of any size, and returns it without the parameters of
 * these names. Called without a chunk, it returns the end. It holds no more than the beginning of one pair.
 */
export function parameterFilter(names = ours): (chunk?: Buffer) => Buffer {
  let begun = Buffer.alloc(0);
  // Of the current pair; unknown before the end of its name.
  let isKept: boolean | undefined;
  let isFirst = true;

  return (chunk = Buffer.of(ampersand)) => {
    const out = Buffer.allocUnsafe(begun.length + chunk.length + 1);
    let used = begun.copy(out);
    // Where the current pair begins, with the & before it.
    let pair = 0;
    for (const byte of chunk) {
      const isEnd = byte === ampersand;
      if (isKept === undefined && (isEnd || byte === equals || used - pair > longestName)) {
        const name = out.toString("latin1", pair + (isFirst ? 0 : 1), used);
        isKept = !(isEnd && name === "") && !names.test(name);
        if (isKept) isFirst = false;
        else used = pair;
      }
      if (isEnd) {
        isKept = undefined;
        pair = used;
        if (!isFirst) out[used++] = ampersand;
      } else if (isKept !== false) out[used++] = byte;
    }
    const known = isKept === undefined ? pair : used;
    begun = Buffer.from(out.subarray(known, used));
    return out.subarray(0, known);
  };
}

/**
 * Asks for JSON where ArcGIS would respond with a page: pages show what other people have written.
 *
 * @param destination Fetch Metadata's word for what the browser is going to do with the response: an `image` is no page
 */
export function asJson(url: URL, destination = "empty"): void {
  const query = url.search.slice(1);
  const [given, ...more] = query.split("&").filter((pair) => format.test(pair.split("=", 1).join()));
  const isGiven = given !== undefined && more.length === 0 && !pages.includes(formatIn(given));
  const isForPages = ["empty", "document", "iframe", "frame"].includes(destination);
  const isFile = given === undefined && (file.test(url.pathname) || !isForPages);
  if (isGiven || isFile) return;
  const others = without(query, format);
  url.search = others ? `${others}&f=json` : "f=json";
}

function without(query: string, names: RegExp): string {
  const filter = parameterFilter(names);
  return Buffer.concat([filter(Buffer.from(query, "latin1")), filter()]).toString("latin1");
}

function formatIn(pair: string): string {
  const [[, value = ""] = []] = new URLSearchParams(pair);
  return value.trim().toLowerCase();
}
