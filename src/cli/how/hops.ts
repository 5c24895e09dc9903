import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ArcGISAuth } from "../../index.ts";
import type { Marker } from "./excerpts.ts";
import { esri, type Link, rfc } from "./links.ts";
import type { Story } from "./recorder.ts";
import type { Scene } from "./stage.ts";
import { brief } from "./wire.ts";

/** One step of a sign-in, as it happened. */
export interface Hop {
  id: string;
  title: string;
  does: string;
  why: Link[];
  /** What was sent, or found; nothing, as long as it has not happened. */
  shown: (string | undefined)[];
  sources: Marker[];
  /** The IDs of the attacks on it. */
  attacks: string[];
}

/** The hops of a sign-in, in order. */
export async function hopsOf(story: Story, { config, auth, recorder }: Scene): Promise<Hop[]> {
  const { refreshToken } = story;
  /** The latest request with this session's refresh token that the portal received. */
  const withToken = (endpoint: string, name: string) =>
    refreshToken && recorder.portalRequest(endpoint, name, refreshToken);
  return [
    {
      id: "redirect",
      title: "The redirect to the portal",
      does: "The server makes a random state and a PKCE verifier, seals them into a cookie of the browser, and sends the browser to the portal. It stores nothing.",
      why: [rfc(6749, "4.1.1"), rfc(7636, "4.3"), esri("authorize")],
      shown: [story.signIn],
      sources: [
        ["auth/sign-in.ts", "router.get(paths.signIn, (req, res) => {"],
        ["auth/auth-transaction.ts", "begin(req: Request, res: Response"],
      ],
      attacks: ["return-to", "host"],
    },
    {
      id: "callback",
      title: "The callback",
      does: "The portal has sent the browser back with a code and the same state. The server takes the transaction out of its cookie, and starts a session under a new ID.",
      why: [rfc(6749, "4.1.2"), rfc(6749, "10.12"), rfc(9700, "4.7")],
      shown: [story.callback],
      sources: [["auth/auth-transaction.ts", "claim(req: Request, res: Response"]],
      attacks: ["replay", "state"],
    },
    {
      id: "token-request",
      title: "The server's token request",
      does: "Before it responds to the callback, the server exchanges the code for tokens, as the portal saw it. The browser takes no part in it.",
      why: [rfc(6749, "4.1.3"), rfc(7636, "4.5"), esri("token")],
      shown: [story.tokenRequest],
      sources: [
        ["auth/arcgis/identity-manager.ts", "static override async exchangeAuthorizationCode("],
        ["auth/arcgis/identity-manager.ts", "async function requestTokens("],
      ],
      attacks: ["code"],
    },
    {
      id: "file",
      title: "The session file",
      does: "The identity is stored in one file, encrypted with AES-256-GCM. Its name is a hash of the session's ID.",
      why: [["NIST SP 800-38D", "https://csrc.nist.gov/pubs/sp/800/38/d/final"], rfc(5869, "3.2")],
      shown: [fileText(join(config.sessionDir, `${story.name}.session`))],
      sources: [
        ["auth/session/seal.ts", "seal(text: string, purpose: Purpose"],
        ["auth/session/sealed-record.ts", "export function recordName("],
      ],
      attacks: ["edited", "swapped"],
    },
    {
      id: "next-request",
      title: "The next request",
      does: "The browser sends the cookie. Its signature says that the ID is one of ours, the hash of the ID leads to the file, and the file opens.",
      why: [rfc(6265, "4.1.2"), rfc(6265, "8.4")],
      shown: [story.nextRequest, await recordText(story.name, auth)],
      sources: [
        ["auth/session/session-cookie.ts", "idIn(req: IncomingMessage)"],
        ["auth/session/sealed-record.ts", "export function openRecord("],
      ],
      attacks: ["token"],
    },
    {
      id: "refresh",
      title: "A refresh",
      does: "When the access token is about to expire, the server gets a new one, once for all requests that wait for it. The button sets the stored expiry to now; the next request does the rest.",
      why: [rfc(6749, "6"), esri("token")],
      shown: [withToken("token", "refresh_token")],
      sources: [
        ["auth/arcgis/token-refresh.ts", "async function lockedRefresh("],
        ["auth/arcgis/identity-manager.ts", "async requestRefresh("],
      ],
      attacks: [],
    },
    {
      id: "sign-out",
      title: "The sign-out",
      does: "The server ends the session, and revokes the refresh token at the portal, with every access token that came from it. Sign out and come back to this page to see it.",
      why: [rfc(7009, "2.1"), esri("revoke-token")],
      shown: [story.signOut, withToken("revokeToken", "auth_token")],
      sources: [["auth/sign-in.ts", "async function signOut("]],
      attacks: ["form"],
    },
  ];
}

function fileText(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return `${path}\nThere is no such file: the session has ended.`;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const begin = readFileSync(path, "latin1").slice(0, 48);
  return `${path}\n${stats.size} bytes, mode ${mode}, last used at ${stats.mtime.toISOString()}\n${begin}…`;
}

/** What is in the record, when the server opens it. */
async function recordText(name: string, { store }: ArcGISAuth): Promise<string | undefined> {
  const record = await store.admin.inspect(name);
  if (!record || "problem" in record) return undefined;
  const { arcgis } = record.data;
  return [
    `In the file: ${Object.keys(record.data).join(", ")}`,
    `user name: ${arcgis?.username}`,
    `access token: ${brief(arcgis?.token ?? "")}, to refresh at ${arcgis?.tokenExpires?.toISOString()}`,
    `refresh token: ${brief(arcgis?.refreshToken ?? "")}, until ${arcgis?.refreshTokenExpires?.toISOString()}`,
  ].join("\n");
}
