/** The token is sent in a header, and `callback` (JSONP) would make the response a script of our own site. */
const ours = ["token", "callback"];
/** Paths of files, which have no format parameter. */
const file = /\/(?:tile\/\d+\/\d+\/\d+|attachments\/\d+|data)$|\.(?:png|jpe?g|gif|webp|pbf|zip|csv|pdf)$/i;
/** Longer than any encoding of these names. A longer name that begins with a space is removed. */
const maxName = 64;
const padding = /^(?:[+\s]|%[01][\da-f]|%20)/i;

/** The name of `name=value` in lowercase, decoded, without spaces and control characters around it. */
function nameOf(parameter: string): string {
  const [name = ""] = parameter.split("=", 1);
  return name
    .replace(/[+\p{Cc}]|%[01][\da-f]/giu, " ")
    .replace(/%([2-7][\da-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .trim()
    .toLowerCase();
}

/**
 * Makes a function that takes a query or a form (latin1) in pieces and returns it without the parameters of these names,
 * the others unchanged. Call it without a piece at the end. It keeps one name at most in memory.
 */
export function parameterFilter(names = ours): (piece?: string) => string {
  let begun = "";
  // Of the current parameter; unknown before the end of its name.
  let isKept: boolean | undefined;
  let separator = "";
  return (piece) => {
    const out: string[] = [];
    const parameters = (begun + (piece ?? "")).split("&");
    begun = "";
    const last = piece === undefined ? -1 : parameters.length - 1;
    parameters.forEach((text, index) => {
      if (index > 0) isKept = undefined;
      if (isKept) out.push(text);
      else if (isKept === undefined && index === last && text.length <= maxName && !text.includes("="))
        begun = text;
      else if (isKept === undefined) {
        const isPadded =
          text.length > maxName && padding.test(text) && !text.slice(0, maxName + 1).includes("=");
        isKept = text !== "" && !isPadded && !names.includes(nameOf(text));
        if (!isKept) return;
        out.push(separator, text);
        separator = "&";
      }
    });
    return out.join("");
  };
}

/**
 * Removes what the client may not set from the query, and asks for JSON where ArcGIS would respond to a GET with a page:
 * pages show what other users have written.
 *
 * @param destination what the browser does with the response (Fetch Metadata): an `image` is no page
 */
export function cleanQuery(url: URL, isGet: boolean, destination = "empty"): void {
  const query = without(url.search.slice(1), ours);
  const [given, ...more] = query.split("&").filter((text) => nameOf(text) === "f");
  const isPage = [...new URLSearchParams(given).values()].every((value) =>
    /^[\s\p{Cc}]*(?:html[\s\p{Cc}]*)?$/iu.test(value),
  );
  const isGiven = given !== undefined && more.length === 0 && !isPage;
  const isForPages = ["empty", "document", "iframe", "frame"].includes(destination);
  const isFile = given === undefined && (file.test(url.pathname) || !isForPages);
  const asJson = [without(query, ["f"]), "f=json"].filter(Boolean).join("&");
  const search = !isGet || isGiven || isFile ? query : asJson;
  if (search !== url.search.slice(1)) url.search = search;
}

function without(query: string, names: string[]): string {
  const filter = parameterFilter(names);
  return filter(query) + filter();
}
