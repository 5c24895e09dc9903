import { randomUUID } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseCookie } from "cookie";
import type { Response } from "express";
import type { Config } from "../../app/config/config.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import type { Outcome } from "./stage.ts";
import { exchangeText, formText } from "./wire.ts";

/** What was recorded of one sign-in. Its texts have no secrets. */
export interface Story {
  /** The name of the session's record. */
  name: string;
  /** The value of the reader's cookie: after the sign-out, the browser has no other. */
  reader: string;
  signIn?: string | undefined;
  callback?: string | undefined;
  tokenRequest?: string | undefined;
  nextRequest?: string | undefined;
  signOut?: string | undefined;
  /** The latest that the reader's session had: finds its requests in the portal's log. */
  refreshToken?: string | undefined;
  outcomes: Map<string, Outcome>;
}

export type Recorder = ReturnType<typeof openRecorder>;

const most = 100;

/**
 * Records the sign-ins of this process in memory, the latest hundred, each for its own session: from Node's own channel of
 * HTTP responses, so that the server knows nothing of it, and from the log of the sandbox portal.
 */
export function openRecorder(config: Config, sandbox: Sandbox, nameOf: (sessionId: string) => string) {
  /** The redirects to the portal, by their state. */
  const begun = new Map<string, string>();
  const stories = new Map<string, Story>();
  /** What responses of ours were refused with, by the ID of the request. */
  const thrown = new Map<string, Error>();
  const logLines: string[] = [];

  channel("http.server.response.finish").subscribe((message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort === config.port) record(request, response);
  });
  channel("tracing:pino_asJson:end").subscribe((message) => {
    logLines.push((message as { result: string }).result);
    if (logLines.length > most) logLines.shift();
  });

  function record(req: IncomingMessage & { originalUrl?: string }, res: ServerResponse): void {
    const { locals } = res as Partial<Response>;
    if (locals?.thrown instanceof Error) keep(thrown, locals.requestId, locals.thrown);
    const { method = "", url = "", originalUrl = url, headers } = req;
    const location = String(res.getHeader("location") ?? "");
    const setCookies = [res.getHeader("set-cookie") ?? []].flat().map(String);
    const sent = { method, url: originalUrl, headers };
    const text = exchangeText({ ...sent, status: res.statusCode, location, setCookies });
    const [pathname = "", query] = originalUrl.split(/\?(.*)/s);

    if (pathname === "/sign-in" && URL.canParse(location))
      keep(begun, new URL(location).searchParams.get("state") ?? "", text);
    else if (pathname === config.callbackPath) {
      const [name] = setCookies.flatMap((cookie) => nameIn(cookie) ?? []);
      const { code = "", state = "" } = Object.fromEntries(new URLSearchParams(query));
      if (name === undefined) return;
      const tokenRequest = portalRequest("token", "code", code);
      keep(stories, name, { ...newStory(name), signIn: begun.get(state), callback: text, tokenRequest });
      begun.delete(state);
    } else {
      const story = stories.get(nameIn(headers.cookie) ?? "");
      if (story && pathname === "/sign-out" && res.statusCode === 303) story.signOut = text;
      else if (story && !pathname.startsWith("/assets/")) story.nextRequest ??= text;
    }
  }

  /** The latest request with this parameter that the portal received. */
  function portalRequest(endpoint: string, name: string, value: string): string | undefined {
    const found = sandbox.log.findLast((each) => each.endpoint === endpoint && each.params[name] === value);
    return found && [`${found.method} ${found.path}`, formText(found.params)].join("\n");
  }

  /** The name of the record that a cookie stands for. */
  function nameIn(cookie = ""): string | undefined {
    const [, id] = /^s:(.+)\./.exec(parseCookie(cookie)[config.cookieName] ?? "") ?? [];
    return id && nameOf(id);
  }

  return {
    portalRequest,
    nameIn,
    /** The story of a session that the reader has; an empty one if the sign-in was before the start of this process. */
    of(name: string): Story {
      const story = stories.get(name) ?? newStory(name);
      return keep(stories, name, story);
    },
    /** The story of a session that this browser had. */
    ofReader: (reader: unknown) => [...stories.values()].find((story) => story.reader === reader),
    forget: (name: string) => void stories.delete(name),
    thrownBy: (requestId: unknown) => thrown.get(String(requestId)),
    /** What the server logged about these requests and records. */
    logOf: (marks: readonly string[]) => logLines.filter((line) => marks.some((mark) => line.includes(mark))),
  };
}

function newStory(name: string): Story {
  return { name, reader: randomUUID(), outcomes: new Map() };
}

/** Puts an entry at the end of a map that never has more than `most`. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): Value {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
  return value;
}
