import {
  type Agent,
  globalAgent,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { type Duplex, Readable } from "node:stream";
import type { Response } from "express";
import { AuthError } from "../index.ts";
import { type Body, readAll } from "./body.ts";
import { ProxyError } from "./proxy-error.ts";

export interface UpstreamRequest {
  /** The request uses this object, so the URL is never parsed again. */
  url: URL;
  /** Alternating names and values. */
  headers: string[];
  body: Body | undefined;
  /** The session whose connections are used. */
  owner: string;
  /** The longest silence, from the first byte on, in either direction (ms). */
  idleMs: number;
}

export interface UpstreamResponse {
  status: number;
  headers: IncomingMessage["headers"];
  /** The beginning, and what follows; `undefined` when there is no more. */
  head: Buffer;
  rest: IncomingMessage | undefined;
}

/** With NODE_USE_ENV_PROXY=1, Node's own agent goes through HTTPS_PROXY (Node 22.21, 24.5): so do these. */
const { proxyEnv } = (globalAgent as Agent & { options: { proxyEnv?: object } }).options;
/** Idle connections are kept for less time than servers keep them (Node 5 s, others longer). */
const keep = { keepAlive: true, timeout: 4_000, ...{ proxyEnv } };
const protocols = {
  "http:": { send: httpRequest, agent: perSession(new HttpAgent(keep)) },
  "https:": { send: httpsRequest, agent: perSession(new HttpsAgent(keep)) },
};
/** Interim responses (1xx) to one request. Each costs some time, and nothing else limits them. */
const maxInterim = 1_024;
/** The longest time for a request, even while data flows (ms). */
const maxMs = 15 * 60_000;
/** Larger than any error of ArcGIS. */
export const headBytes = 8 * 1024;

/**
 * Sends one request and waits for the beginning of its response, or all of a small one. Both end when `res`, the response
 * to the client, ends. Redirects are not followed, and nothing is decompressed. It uses node:http because proxy
 * libraries pipe the first response: none of them can look at it and try again.
 */
export function requestUpstream(options: UpstreamRequest, res: Response): Promise<UpstreamResponse> {
  const { url, headers, body, owner, idleMs } = options;
  const { send, agent } = protocols[url.protocol as keyof typeof protocols];
  return new Promise((resolve, reject) => {
    const init = { method: res.req.method, headers, agent, timeout: idleMs, owner };
    const request = send(url, init);
    let response: IncomingMessage | undefined;
    let interim = 0;
    const fail = (error: unknown) => reject(upstreamError(error));
    const timeOut = () => void (response ?? request).destroy(new AuthError("portal_timeout"));
    const cancel = () => void (res.writableFinished || request.destroy());
    const timer = setTimeout(timeOut, maxMs);
    if (res.destroyed) cancel();
    res.once("close", cancel);
    request.once("response", (begun) => {
      response = begun;
      // A server that responds before it has read the body may take the rest of it for the next request.
      if (!request.writableFinished || begun.statusCode === 101) request.shouldKeepAlive = false;
      begun.once("end", () => request.writableFinished || request.destroy());
      begun.once("error", fail);
      const { statusCode: status = 0, headers } = begun;
      readHead(begun, (head) =>
        resolve({ status, headers, head, rest: begun.readableEnded ? undefined : begun }),
      );
    });
    // No request asks for an interim response (1xx), so a server that sends one may be out of sync.
    request.on("information", () => {
      request.shouldKeepAlive = false;
      if (++interim > maxInterim) request.destroy();
    });
    request.once("timeout", timeOut);
    // Once the response has begun, only its own errors count.
    request.on("error", (error) => response ?? fail(error));
    request.once("close", () => {
      clearTimeout(timer);
      res.off("close", cancel);
      // Node emits no error if a server switches protocols unasked (101).
      if (!response) fail("closed without a response");
    });
    if (!body) return void request.end();
    // Not `pipeline`, which hides the error of the source.
    const content = Readable.from(body.chunks);
    content.on("error", (error) => request.destroy(error)).pipe(request);
    request.once("close", () => content.destroy());
  });
}

/** Reads all of it, or more than `headBytes`; reads nothing if its length is larger than that. */
function readHead(response: IncomingMessage, done: (head: Buffer) => void): void {
  let head: Buffer = Buffer.alloc(0);
  function take(): void {
    const chunk = readAll(response);
    if (chunk) head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length > headBytes) finish();
  }
  function finish(): void {
    response.off("readable", take).off("end", finish);
    done(head);
  }
  if (Number(response.headers["content-length"]) > headBytes) finish();
  else response.on("readable", take).once("end", finish);
}

/** Errors with a code stay as they are. */
export function upstreamError(error: unknown): AuthError | ProxyError {
  if (error instanceof AuthError || error instanceof ProxyError) return error;
  return new AuthError("portal_unreachable", { cause: error });
}

/**
 * Lets an agent reuse connections within one session only. A server that misreads where a request ends can then mix up
 * the requests of one user, but never those of two users. A connection on which the server sends something between two
 * requests is closed. Node documents that these methods may be overridden.
 */
function perSession<T extends Agent>(agent: T): T {
  const { getName, keepSocketAlive, reuseSocket } = agent;
  function hangUp(this: Duplex): void {
    this.destroy();
  }
  return Object.assign(agent, {
    getName: (options?: RequestOptions & { owner?: string }) =>
      `${getName.call(agent, options)}:${options?.owner}`,
    keepSocketAlive: (socket: Duplex) => {
      socket.once("data", hangUp);
      return keepSocketAlive.call(agent, socket);
    },
    reuseSocket: (socket: Duplex, request: Parameters<Agent["reuseSocket"]>[1]) => {
      socket.off("data", hangUp);
      reuseSocket.call(agent, socket, request);
    },
  });
}
