import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseCookie } from "cookie";
import type { Config } from "../../app/config/config.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { exchangeText, formText } from "./wire.ts";

export type Recorder = ReturnType<typeof openRecorder>;

const most = 10_000;

/**
 * Records the latest requests to this process in memory: from Node's own channel of HTTP responses and pino's of log
 * lines, so that the server knows nothing of it, and from the log of the sandbox portal.
 */
export function openRecorder(config: Config, sandbox: Sandbox, nameOf: (sessionId: string) => string) {
  const exchanges: ReturnType<typeof exchangeOf>[] = [];
  const logLines: string[] = [];

  channel("http.server.response.finish").subscribe((message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== config.port || request.url?.startsWith("/assets/")) return;
    if (exchanges.push(exchangeOf(request, response)) > most) exchanges.shift();
  });
  channel("tracing:pino_asJson:end").subscribe((message) => {
    if (logLines.push((message as { result: string }).result) > most) logLines.shift();
  });

  function exchangeOf(req: IncomingMessage & { originalUrl?: string }, res: ServerResponse) {
    const { method, originalUrl: url = String(req.url), headers } = req;
    const { statusCode: status } = res;
    const set = [res.getHeader("set-cookie") ?? []].flat().join("; ");
    const [path] = url.split("?", 1);
    return {
      path,
      status,
      params: paramsIn(path === "/sign-in" ? String(res.getHeader("location")) : url),
      /** The name of the session's record. */
      name: nameIn(set) ?? nameIn(headers.cookie),
      /** The request and the response, without secrets. */
      text: exchangeText({ method, url, headers }, { status, headers: res.getHeaders() }),
    };
  }

  /** The latest request with this parameter that the portal received. */
  function portalRequest(endpoint: string, name: string, value = ""): string | undefined {
    const found = sandbox.log.findLast((each) => each.endpoint === endpoint && each.params[name] === value);
    return found && [`${found.method} ${found.path}`, formText(found.params)].join("\n");
  }

  /** The name of the record that the session cookie stands for. */
  function nameIn(cookies = ""): string | undefined {
    const [, id] = /^s:(.+)\./.exec(parseCookie(cookies)[config.cookieName] ?? "") ?? [];
    return id && nameOf(id);
  }

  return {
    portalRequest,
    nameIn,
    /** What was sent in a session, by the ID of the hop; nothing before the start of this process. */
    sentIn(name: string): Record<string, string | undefined> {
      const own = exchanges.filter((each) => each.name === name);
      const callback = own.find(({ path }) => path === config.callbackPath);
      const [state, code] = ["state", "code"].map((param) => callback?.params.get(param) ?? "");
      const redirect = exchanges.find(
        (each) => each.path === "/sign-in" && each.params.get("state") === state,
      );
      return {
        redirect: redirect?.text,
        callback: callback?.text,
        "token-request": portalRequest("token", "code", code),
        "next-request": own.find(({ path }) => path !== config.callbackPath)?.text,
        "sign-out": own.find(({ path, status }) => path === "/sign-out" && status === 303)?.text,
      };
    },
    /** What the server logged about these requests and records. */
    logOf: (marks: readonly string[]) => logLines.filter((line) => marks.some((mark) => line.includes(mark))),
  };
}

function paramsIn(url: string): URLSearchParams {
  return new URLSearchParams(url.split("?", 2)[1]);
}
