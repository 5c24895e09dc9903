import { after, type TestContext } from "node:test";

/** In place of a test's context, for what the tests of a suite share: it ends after the last of them. */
export function suiteContext(): Pick<TestContext, "after"> {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  return { after: (end) => void ends.unshift(end as () => unknown) };
}
