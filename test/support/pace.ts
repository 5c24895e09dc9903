const numbers = Array.from({ length: 60_000 }, (_, index) => index / 7);
/** How long `work` takes on a machine of 2025 that does nothing else, generously (ms). */
export const usualMs = 60;

/** A fixed piece of work, to compare others with. */
export function work(): void {
  for (let round = 0; round < 3; round++) JSON.parse(JSON.stringify(numbers));
}

/** How many times slower than usual this machine is right now, at least 1: what a bound in ms is multiplied by. */
export function slowness(): number {
  const start = performance.now();
  work();
  return Math.max(1, (performance.now() - start) / usualMs);
}
