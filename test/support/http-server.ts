import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Site } from "./site.ts";
import { openSite, type SiteOptions } from "./site.ts";

export const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");

/** The log's lines about what never reached the app. */
export const refusals = ({ log }: Site) =>
  log.lines.filter(({ event, code }) => event === "refused" && code === undefined);

export function open(t: Pick<TestContext, "after">, url: string): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  t.after(() => void socket.destroy());
  return socket;
}

export const isClosed = (socket: Socket) => once(socket, "close");

/** A site with /slow?ms=, which remembers how many of its requests were in progress at once. */
export async function openSlow(t: TestContext, options: SiteOptions = {}) {
  let inProgress = 0;
  const seen = { most: 0, paths: [] as string[] };
  const site = await openSite(t, {
    ...options,
    routes: ({ router }) => {
      router.all("/slow", async (req, res) => {
        inProgress += 1;
        seen.most = Math.max(seen.most, inProgress);
        seen.paths.push(req.originalUrl);
        res.once("close", () => {
          inProgress -= 1;
        });
        let length = 0;
        for await (const chunk of req) length += chunk.length;
        await sleep(Number(req.query.ms ?? 20), undefined, { ref: false });
        res.send(`${req.query.id} with ${length} bytes;`);
      });
      // More than all buffers on the way hold.
      router.get("/large", (_req, res) => void res.send(Buffer.alloc(20_000_000)));
    },
  });
  return { site, seen };
}
