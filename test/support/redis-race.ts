import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { on } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** One operation of a racer and what came of it; times are of a clock that all processes share (ns, as text). */
export interface Operation {
  kind: "create" | "change" | "read" | "remove";
  name: string;
  start: string;
  end: string;
  outcome: "done" | "nothing" | "failed";
  /** Which creation of this name it met: every `create` brings a new one. */
  life?: string;
  /** How often the record had been changed when it met it. */
  changes?: number;
}

/** What every racer does. */
export interface Race {
  url: string;
  names: string[];
  operations: number;
}

/**
 * Lets two processes race, and gives what they did. `troubles` are what happens to Redis meanwhile: each when the
 * first process has done so many tenths of its operations.
 */
export async function race(
  t: Pick<TestContext, "after">,
  task: Race,
  troubles: Record<number, () => Promise<unknown>>,
): Promise<Operation[]> {
  const program = join(import.meta.dirname, "redis-racer.js");
  const racers = [1, 2].map(() => fork(program));
  for (const racer of racers) t.after(() => racer.kill());
  let trouble: Promise<unknown> = Promise.resolve();
  racers[0]?.on("message", (message) => {
    if (typeof message === "number") trouble = trouble.then(troubles[message]);
  });
  const logs = racers.map(async (racer) => {
    racer.send(task);
    for await (const [message] of on(racer, "message")) {
      if (Array.isArray(message)) return message as Operation[];
    }
    return [];
  });
  const operations = (await Promise.all(logs)).flat();
  await trouble;
  return operations;
}

/** Knows what may have come of the operations on one record, and fails when something else did. */
export function judge(operations: Operation[], found: string | undefined): void {
  const of = (kind: Operation["kind"], outcome: Operation["outcome"] = "done") =>
    operations.filter((each) => each.kind === kind && each.outcome === outcome);
  const time = (text: string) => BigInt(text);
  const created = of("create");
  const maybeCreated = of("create", "failed");
  const removed = of("remove");
  const [foundLife, foundChanges] = found?.split("/") ?? [];

  // NX: a record is created again only after it was removed.
  const mostLives = removed.length + of("remove", "failed").length + 1;
  assert.ok(created.length <= mostLives, "it was created twice");
  if (found) {
    assert.ok(
      [...created, ...maybeCreated].some(({ life }) => life === foundLife),
      "it came from nowhere",
    );
  } else {
    assert.ok(created.length <= removed.length + of("remove", "failed").length, "it was lost");
  }
  const present = found ? 1 : 0;
  assert.ok(
    removed.length <= created.length + maybeCreated.length - present,
    "what was removed is still there",
  );

  for (const { life, end: born } of created) {
    const changes = of("change").filter((each) => each.life === life);
    const met = changes.map((each) => Number(each.changes)).sort((a, b) => a - b);
    assert.equal(new Set(met).size, met.length, "a change was lost: two began from the same state");
    const maybe = of("change", "failed").filter((each) => each.life === life).length;
    assert.ok((met.at(-1) ?? -1) + 1 <= met.length + maybe, "a change came from nowhere");
    if (life === foundLife) assert.ok(Number(foundChanges) >= (met.at(-1) ?? -1) + 1, "a change was undone");

    // From a removal that began after the birth and has ended, no operation meets this life again.
    const deaths = removed.filter(({ start }) => time(start) > time(born)).map(({ end }) => time(end));
    const later = operations.filter(
      (each) => each.life === life && each.kind !== "create" && each.outcome === "done",
    );
    for (const { kind, start } of later) {
      assert.ok(
        !deaths.some((death) => death < time(start)),
        `a ${kind} met a record that was removed before`,
      );
    }
  }
}
