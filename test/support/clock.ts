import type { TestContext } from "node:test";

type Mocking = Pick<TestContext, "mock">;

/**
 * Moves the calendar and the monotonic clock of this process, in place of waiting. Once a test: Node restores the first
 * of two mocks of one method, and leaves it that way.
 *
 * @param isStopped the monotonic clock stands still otherwise: however slow this machine is, no backoff and no wait for a
 *   lock is over
 */
export function clock(t: Mocking, { isStopped = false } = {}): (ms: number) => void {
  const now = Date.now;
  let ahead = 0;
  t.mock.method(Date, "now", () => now() + ahead);
  const passSteady = isStopped ? stopClock(t) : moveSteady(t, performance.now.bind(performance));
  return (ms) => {
    ahead += ms;
    passSteady(ms);
  };
}

/** Stops the monotonic clock alone, for tests that mock the calendar in another way. */
export function stopClock(t: Mocking): (ms: number) => void {
  const now = performance.now();
  return moveSteady(t, () => now);
}

function moveSteady(t: Mocking, steady: () => number): (ms: number) => void {
  let ahead = 0;
  t.mock.method(performance, "now", () => steady() + ahead);
  return (ms) => {
    ahead += ms;
  };
}
