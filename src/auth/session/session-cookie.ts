import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parseCookie } from "cookie";

/** The session's cookie in express-session's format, `s:{id}.{HMAC-SHA256}`: both modes read each other's. */
export function sessionCookie(name: string, isSecure: boolean, secrets: readonly string[]) {
  const [newest = ""] = secrets;
  return {
    name,
    // Lax: with Strict, the browser would come back from the portal without its cookies.
    options: { httpOnly: true, sameSite: "lax", path: "/", secure: isSecure } as const,
    sign: (id: string): string => `s:${id}.${signature(id, newest)}`,
    /** The session id that this browser sends, if one of the secrets has signed it. */
    idIn(req: IncomingMessage): string | undefined {
      const value = parseCookie(req.headers.cookie ?? "")[name] ?? "";
      const end = value.lastIndexOf(".");
      const [id, given] = [value.slice(2, end), value.slice(end + 1)];
      if (!value.startsWith("s:") || end < 3 || end > 300) return undefined;
      const isSigned = secrets.some((secret) => isSame(given, signature(id, secret)));
      return isSigned ? id : undefined;
    },
  };
}

export type SessionCookie = ReturnType<typeof sessionCookie>;

/** Compares texts, in a time that does not tell where they differ. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function signature(id: string, secret: string): string {
  // Without its padding.
  return createHmac("sha256", secret).update(id).digest("base64").slice(0, 43);
}
