/**
 * Does something with each item, so many side by side.
 * @throws what `work` throws first; nothing more is begun then
 */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let hasFailed = false;
  // All take from the same one.
  const rest = items.values();
  async function worker(): Promise<void> {
    for (const item of rest) {
      if (hasFailed) return;
      await work(item);
    }
  }
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      worker().catch((error) => {
        hasFailed = true;
        throw error;
      }),
    ),
  );
}
