/** Paths of files that ArcGIS users have uploaded, of any type: attachments, data and resources of items. */
const userFile = /\/attachments\/\d+$|\/items\/\w+\/(?:data$|resources\/)/i;

/**
 * Whether a response is a file that the browser saves and never shows, so that it may be of any type.
 */
export function isDownload({ pathname }: URL, status: number, disposition = ""): boolean {
  const isFile = userFile.test(pathname) || /^\s*attachment\b/i.test(disposition);
  return isFile && status >= 200 && status < 300;
}

/**
 * `Content-Disposition` with the name of the file, in ASCII (RFC 6266, 4.3 and appendix D): ArcGIS sends the bytes of
 * UTF-8, and Node writes those in two ways, depending on whether it knows the length of the body.
 */
export function contentDisposition(given: string | undefined, isDownload: boolean): string | undefined {
  if (given === undefined && !isDownload) return undefined;
  const type = isDownload || !/^\s*inline\b/i.test(given ?? "") ? "attachment" : "inline";
  const name = fileName(given)
    ?.replace(/^.*[\\/]/s, "")
    .replace(/\p{Cc}/gu, "");
  if (!name) return type;
  const ascii = name.replace(/[^ -~]|["\\%]/gu, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${type}; filename="${ascii}"${ascii === name ? "" : `; filename*=UTF-8''${encoded}`}`;
}

function fileName(given = ""): string | undefined {
  const [, encoded] = /;\s*filename\*\s*=\s*UTF-8'[^']*'([^;\s]*)/i.exec(given) ?? [];
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i.exec(given) ?? [];
  try {
    if (encoded) return decodeURIComponent(encoded);
  } catch {}
  const bytes = Buffer.from(quoted?.replace(/\\(.)/g, "$1") ?? token ?? "", "latin1");
  const text = bytes.toString("utf8");
  return text.includes("\uFFFD") ? bytes.toString("latin1") : text;
}
