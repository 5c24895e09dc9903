import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Cookies, parseCookie } from "cookie";
import type { Config } from "../../app/config/config.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import type { Outcome } from "./stage.ts";
import { exchangeText, formText } from "./wire.ts";

/** What was recorded of one sign-in. */
export interface Story {
  /** The name of the session's record. */
  name: string;
  /** What was sent, without secrets, by the ID of the hop. */
  sent: Record<string, string | undefined>;
  /** The latest that the session had: finds its requests in the portal's log. */
  refreshToken?: string | undefined;
  /** By the ID of the attack. */
  outcomes: Map<string, Outcome>;
}

export type Recorder = ReturnType<typeof openRecorder>;

const most = 1_000;

/**
 * Records the latest sign-ins of this process in memory, each for its own session: from Node's own channel of HTTP
 * responses, so that the server knows nothing of it, and from the log of the sandbox portal.
 */
export function openRecorder(config: Config, sandbox: Sandbox, nameOf: (sessionId: string) => string) {
  /** The redirects to the portal, by their state. */
  const redirects = new Map<string, string>();
  const stories = new Map<string, Story>();
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
    const { method, originalUrl: url = String(req.url), headers } = req;
    const { statusCode: status } = res;
    const text = exchangeText({ method, url, headers }, { status, headers: res.getHeaders() });
    const [pathname = ""] = url.split("?", 1);

    if (pathname === "/sign-in") keep(redirects, stateIn(String(res.getHeader("location"))), text);
    else if (pathname === config.callbackPath) {
      const name = nameIn(parseCookie([res.getHeader("set-cookie") ?? []].flat().join("; ")));
      if (name === undefined) return;
      const { sent } = storyOf(name);
      sent.redirect = redirects.get(stateIn(url));
      sent.callback = text;
      sent["token-request"] = portalRequest("token", "code", paramsIn(url).get("code"));
    } else {
      const { sent } = stories.get(nameIn(parseCookie(headers.cookie ?? "")) ?? "") ?? {};
      if (sent && pathname === "/sign-out" && status === 303) sent["sign-out"] = text;
      else if (sent && !pathname.startsWith("/assets/")) sent["next-request"] ??= text;
    }
  }

  /** The latest request with this parameter that the portal received. */
  function portalRequest(endpoint: string, name: string, value: unknown): string | undefined {
    const found = sandbox.log.findLast((each) => each.endpoint === endpoint && each.params[name] === value);
    return found && [`${found.method} ${found.path}`, formText(found.params)].join("\n");
  }

  /** The name of the record that the session cookie stands for. */
  function nameIn(cookies: Cookies): string | undefined {
    const [, id] = /^s:(.+)\./.exec(cookies[config.cookieName] ?? "") ?? [];
    return id && nameOf(id);
  }

  /** The story of a session; an empty one if the sign-in was before the start of this process. */
  function storyOf(name: string): Story {
    return keep(stories, name, stories.get(name) ?? { name, sent: {}, outcomes: new Map() });
  }

  return {
    portalRequest,
    nameIn,
    storyOf,
    /** The story of a session that may have ended. */
    findStory: (name = "") => stories.get(name),
    /** What the server logged about these requests and records. */
    logOf: (marks: readonly string[]) => logLines.filter((line) => marks.some((mark) => line.includes(mark))),
  };
}

function paramsIn(url: string): URLSearchParams {
  return new URLSearchParams(url.split("?", 2)[1]);
}

function stateIn(url: string): string {
  return paramsIn(url).get("state") ?? "";
}

/** Puts an entry at the end of a map that never has more than `most`. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): Value {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
  return value;
}
