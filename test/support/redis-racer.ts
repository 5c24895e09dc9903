import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseRedisUrl } from "#src/app/config/redis-url.ts";
import { connectToRedis } from "#src/app/redis-connection.ts";
import { redisBackend } from "#src/session-store.ts";
import type { Operation, Race } from "./redis-race.ts";

const atOnce = 10;

/** A process of its own that does what servers do to sessions, at random, beside others that do the same. */
process.once("message", async ({ url, names, operations }: Race) => {
  const address = parseRedisUrl(url);
  if (!address) throw new TypeError(url);
  const { client, close } = await connectToRedis(address, { timeoutMs: 400 });
  const store = redisBackend(client, { idleSeconds: 600 });
  const log: Operation[] = [];

  async function step(turn: number): Promise<void> {
    // All racers go through the names side by side, and are always busy with a few of them.
    const name = names[Math.floor((turn / operations) * (names.length - 6)) + randomInt(6)] ?? "";
    const chance = Math.random();
    const kind = chance < 0.1 ? "create" : chance < 0.65 ? "change" : chance < 0.9 ? "read" : "remove";
    const start = String(process.hrtime.bigint());
    let met: { life?: string; changes?: number } = {};
    let outcome: Operation["outcome"];
    try {
      outcome = (await act(kind)) ? "done" : "nothing";
    } catch {
      outcome = "failed";
    }
    log.push({ kind, name, start, end: String(process.hrtime.bigint()), outcome, ...met });
    // However long Redis is away, most of the race is run while it is there.
    while (outcome === "failed" && !(await isThere())) await sleep(10);

    async function act(what: typeof kind): Promise<boolean> {
      if (what === "remove") return (await store.take(name)) !== undefined;
      if (what === "create") {
        met = { life: randomUUID(), changes: 0 };
        const exists = (error: Error) => {
          if (!/already/.test(error.message)) throw error;
          return false;
        };
        return store.create(name, `${met.life}/0`).then(() => true, exists);
      }
      if (what === "change") {
        return store.update(name, ({ text }) => {
          met = parse(text);
          return `${met.life}/${(met.changes ?? 0) + 1}`;
        });
      }
      const record = await store.read(name);
      if (record) met = parse(record.text);
      return record !== undefined;
    }
  }

  const isThere = () =>
    client.eval("return 1", { keys: ["arcgis-sign-in:probe"], arguments: [] }).then(
      () => true,
      () => false,
    );
  let turn = 0;
  const runner = async () => {
    while (turn < operations) {
      if (turn % (operations / 10) === 0) process.send?.(turn / (operations / 10));
      await step(turn++);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
  await close();
  process.send?.(log, () => process.disconnect());
});

function parse(content: string): { life: string; changes: number } {
  const [life = "", changes] = content.split("/");
  return { life, changes: Number(changes) };
}
