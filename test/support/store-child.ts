/**
 * A process of its own with a sealed store on the folder that its first argument names; see store-process.ts.
 * It does what its parent asks for, and answers each request by its number.
 */
import { identityFor, openTestStore } from "./store.ts";
import type { Answer, Task } from "./store-process.ts";

const site = openTestStore({ after: () => {} }, JSON.parse(process.argv[2] ?? ""));

async function perform({ kind, id = "", value }: Task): Promise<unknown> {
  switch (kind) {
    case "create":
      return site.keep({ identity: identityFor("sandy_admin"), value });
    case "get": {
      const session = (await site.load(id)) as { value?: unknown } | undefined;
      return session && { value: session.value };
    }
    case "set": {
      const session = await site.load(id);
      if (!session) return false;
      await site.set(id, Object.assign(session, { value }) as never);
      return true;
    }
    case "update":
      return site.store.update(id, (data) => void Object.assign(data, { value }));
    case "destroy":
      return site.destroy(id);
    case "warnings":
      return site.warnings;
  }
}

process.on("message", async ({ number, task }: { number: number; task: Task }) => {
  const answer: Answer = await perform(task).then(
    (result) => ({ number, result }),
    (error: Error) => ({ number, error: `${error.message} (${error.cause})` }),
  );
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
process.send?.({ number: 0 });
