import type { ProxySite } from "./proxy.ts";
import { type Behaviour, echo } from "./upstream.ts";

export const responding =
  (body: string | Buffer, headers: Record<string, string>, status = 200): Behaviour =>
  (_seen, res) =>
    void res.writeHead(status, headers).end(body);

/** Refuses one token, whatever it is, and takes all others. */
export const refusing = (refused: string | undefined, refusal: Behaviour): Behaviour => {
  return (seen, res, req) => {
    const isRefused = seen.headers["x-esri-authorization"] === `Bearer ${refused}`;
    (isRefused ? refusal : echo)(seen, res, req);
  };
};

/** A token that every later one differs from. */
export async function currentToken({ token }: ProxySite): Promise<string> {
  return String(await token());
}
