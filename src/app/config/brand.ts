import { readFileSync, statSync } from "node:fs";
import * as z from "zod";
import { darkened, enough } from "./color.ts";
import { text } from "./setting-types.ts";

/** APP_NAME: on every page and in every tab. */
export const appName = text("Use up to 60 characters on one line.", [
  /^[^\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]{1,60}$/u,
  "is too long, or has characters that cannot be seen.",
]);

/** APP_COLOR: white text must be legible on it. The "#" is optional, because in .env it starts a comment. */
export const appColor = text("Write it as #rrggbb, such as #005e95 (in .env without the #).", [
  /^#?[0-9a-f]{6}$/i,
  "is not a color.",
])
  .transform((value) => `#${value.replace("#", "").toLowerCase()}`)
  .superRefine((color, { addIssue }) => {
    const nearest = darkened(color);
    if (nearest !== color)
      addIssue(
        `is too light for the white text of buttons (WCAG 2.2 AA asks for a contrast of ${enough}). Use ${nearest}, the nearest that passes, or a darker one.`,
      );
  });

/** The logo's content and type. */
export interface Logo {
  type: string;
  content: Buffer;
}

const logoFix = "Name an SVG, PNG, WebP or JPEG file.";

const mostKilobytes = 256;

/** APP_LOGO: an absolute path, whose file is read. */
export const appLogo = z
  .string({ error: `must be text. ${logoFix}` })
  .transform((path, { addIssue }): Logo => {
    const fail = (problem: string) => {
      addIssue(problem);
      return z.NEVER;
    };
    try {
      // Checked before it is read: a device such as /dev/zero has no end.
      const about = statSync(path);
      if (!about.isFile()) return fail(`is not a file. ${logoFix}`);
      if (about.size > mostKilobytes * 1024)
        return fail(`is larger than ${mostKilobytes} KB, and every visitor loads it. Make it smaller.`);
      const content = readFileSync(path);
      const type = typeOf(content);
      return type === undefined ? fail(`is not such an image. ${logoFix}`) : { type, content };
    } catch (error) {
      return fail(
        `cannot be read (${Object(error).code}). Correct the path, or let the server's user read it.`,
      );
    }
  });

/** By its first bytes: the name may be wrong, and browsers do not show an image under another type. */
function typeOf(content: Buffer): string | undefined {
  const start = content.toString("latin1", 0, 12);
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (/^RIFF.{4}WEBP/s.test(start)) return "image/webp";
  // Without this name, an SVG is not shown as an image.
  const isSvg = content.includes("<svg") && content.includes("http://www.w3.org/2000/svg");
  return isSvg ? "image/svg+xml" : undefined;
}

/** VIEWS_DIR: an absolute path. */
export const viewsDir = text("Enter the path of a folder.", [
  (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  "is not a folder.",
]);
