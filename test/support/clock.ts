import type { TestContext } from "node:test";

/** Moves the calendar and the monotonic clock of this process, in place of waiting. */
export function clock(t: Pick<TestContext, "mock">): (ms: number) => void {
  const [now, steady] = [Date.now, performance.now.bind(performance)];
  let ahead = 0;
  t.mock.method(Date, "now", () => now() + ahead);
  t.mock.method(performance, "now", () => steady() + ahead);
  return (ms) => {
    ahead += ms;
  };
}

/** Stops the monotonic clock: however slow this machine is, no backoff and no wait for a lock is over. */
export function stopClock(t: Pick<TestContext, "mock">): void {
  const now = performance.now();
  t.mock.method(performance, "now", () => now);
}
