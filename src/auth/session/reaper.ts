const firstMs = 60_000;
const everyMs = 60 * 60_000;
const skewMs = 5 * 60_000;

/** Calls `reap` a minute after the start and then every hour, until the returned function is called. */
export function startReaper(reap: () => Promise<unknown>, onError: (error: unknown) => void): () => void {
  const clocks = () => ({ wall: Date.now(), monotonic: performance.now() });
  let last = clocks();

  /** Not when the clock was set since the last time: it may be a mistake, and be put right before the next. */
  function run(): void {
    const now = clocks();
    const jumpMs = now.wall - last.wall - (now.monotonic - last.monotonic);
    last = now;
    if (Math.abs(jumpMs) <= skewMs) reap().catch(onError);
  }

  const timers = [setTimeout(run, firstMs).unref(), setInterval(run, everyMs).unref()];
  return () => timers.forEach(clearTimeout);
}
