import type { TestContext } from "node:test";

type Mocking = Pick<TestContext, "mock">;

/**
 * Moves the calendar and the monotonic clock of this process, in place of waiting. Once a test: Node restores the first
 * of two mocks of one method, and leaves it that way.
 *
 * @param isStopped both stand still otherwise: however slow this machine is, no session, no backoff and no wait for a lock
 *   ends but by what the test lets pass
 */
export function clock(t: Mocking, { isStopped = false } = {}): (ms: number) => void {
  const clocks = [Date, performance].map((clock) => move(t, clock, isStopped));
  return (ms) => {
    for (const pass of clocks) pass(ms);
  };
}

/** Stops the monotonic clock alone, for tests that mock the calendar in another way. */
export function stopClock(t: Mocking): (ms: number) => void {
  return move(t, performance, true);
}

function move(t: Mocking, clock: { now: () => number }, isStopped: boolean): (ms: number) => void {
  const real = clock.now.bind(clock);
  const stoppedAt = real();
  let ahead = 0;
  t.mock.method(clock, "now", () => (isStopped ? stoppedAt : real()) + ahead);
  return (ms) => {
    ahead += ms;
  };
}
