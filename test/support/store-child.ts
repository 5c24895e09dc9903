/**
 * A process of its own with a sealed store on a folder; see store-process.ts. It does what its parent asks for,
 * and responds to each request by its number.
 */
import { utimesSync } from "node:fs";
import type { SessionData } from "express-session";
import { identityFor, openTestStore } from "./store.ts";
import type { Task, TestResponse } from "./store-process.ts";

const site = openTestStore({ after: () => {} }, JSON.parse(process.argv[2] ?? ""));

async function perform({ kind, id = "", value }: Task): Promise<unknown> {
  switch (kind) {
    case "create": {
      const req = site.generate({ arcgis: identityFor("sandy_admin", { token: "0" }), value });
      await site.set(req.sessionID, req.session as SessionData);
      // So that its next use is worth a note.
      const twoMinutesAgo = Date.now() / 1000 - 2 * 60;
      utimesSync(site.file(req.sessionID), twoMinutesAgo, twoMinutesAgo);
      return req.sessionID;
    }
    case "get": {
      // It touches the session, as a request does.
      await site.store.readParts(id);
      const session = (await site.load(id)) as (SessionData & { value?: unknown }) | undefined;
      return session && { value: session.value, token: Number(session.arcgis.token) };
    }
    case "set": {
      const session = await site.load(id);
      if (!session) return false;
      await site.set(id, Object.assign(session, { value }) as unknown as SessionData);
      return true;
    }
    case "refresh":
      return site.store.update(id, ({ arcgis }) => {
        arcgis?.updateToken(String(Number(arcgis.token) + 1), new Date(Date.now() + 60_000));
      });
    case "destroy":
      return site.destroy(id);
    case "reap":
      return site.store.admin.reap();
    case "warnings":
      return site.warnings;
  }
}

process.on("message", async ({ number, task }: { number: number; task: Task }) => {
  const response: TestResponse = await perform(task).then(
    (result) => ({ number, result }),
    (error: Error) => ({ number, error: `${error.message} (${error.cause})` }),
  );
  process.send?.(response);
});
process.on("disconnect", () => process.exit());
process.send?.({ number: 0 });
