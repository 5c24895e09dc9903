import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/**
 * Gives the token that a form of a session carries: another site can send a form here, but it cannot know
 * this. It is bound to the session's id and needs no room in the session.
 *
 * @param secrets `SESSION_SECRET`, newest first: the first makes tokens, all of them count
 */
export function formTokens(secrets: readonly string[]) {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync("sha256", secret, "", "form token/v1", 32)));
  const tokenOf = (key: Buffer, sessionId: string) =>
    createHmac("sha256", key).update(sessionId).digest("base64url");

  return {
    make: (sessionId: string): string => tokenOf(keys[0] as Buffer, sessionId),
    check: (token: unknown, sessionId: string): boolean =>
      typeof token === "string" && keys.some((key) => equal(token, tokenOf(key, sessionId))),
  };
}

export type FormTokens = ReturnType<typeof formTokens>;

function equal(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
