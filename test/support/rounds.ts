/** Whether this is `npm run test:all`. */
export const isAll = process.env.TEST_ALL === "1";

/** How often a test repeats a race: `few` times in `npm test`, `many` times in `npm run test:all`. */
export const rounds = (few: number, many: number): number => (isAll ? many : few);

/** The cases of a matrix: the first `few`, one of each kind, in `npm test`, all of them in `npm run test:all`. */
export const casesOf = <T>(all: readonly T[], few: number): readonly T[] => (isAll ? all : all.slice(0, few));

/** How long a test waits for what has to happen (ms): a minute, because a machine may be busy. `npm run evidence` waits less. */
export const patienceMs = Number(process.env.TEST_PATIENCE_MS ?? 60_000);
