import { create, decodeExtended, parse } from "content-disposition";

/** Paths of files that ArcGIS users have uploaded, of any type: attachments, data and resources of items. */
const userFile = /\/attachments\/\d+$|\/items\/\w+\/(?:data$|resources\/)/i;

/** Whether a response is a file that the browser saves and never shows, so that it may be of any type. */
export function isDownload({ pathname }: URL, status: number, disposition = ""): boolean {
  const isFile = userFile.test(pathname) || parse(disposition).type === "attachment";
  return isFile && status >= 200 && status < 300;
}

/**
 * `Content-Disposition` with the name of the file, in ASCII (RFC 6266, 4.3 and appendix D): ArcGIS sends the bytes of
 * UTF-8, and Node writes those in two ways, depending on whether it knows the length of the body.
 */
export function contentDisposition(given: string | undefined, isDownload: boolean): string | undefined {
  if (given === undefined && !isDownload) return undefined;
  const { type, parameters } = parse(given ?? "", { extended: false });
  const name = (decodeExtended(parameters["filename*"] ?? "") || fromBytes(parameters.filename))
    .replace(/^.*[\\/]/s, "")
    .replace(/\p{Cc}/gu, "");
  const fallback = name.replace(/[^ -~]|["\\%]/gu, "_");
  return create(name || undefined, {
    type: isDownload || type !== "inline" ? "attachment" : "inline",
    fallback,
  });
}

function fromBytes(name = ""): string {
  const text = Buffer.from(name, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? name : text;
}
