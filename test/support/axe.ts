import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

/** The rules for each; in the dark only the colors are other ones. */
const schemes = { light: undefined, dark: ["color-contrast", "link-in-text-block"] };

const screens = [
  { width: 1280, height: 720 },
  { width: 375, height: 667 },
];

/** Asserts that the page, as it stands, passes axe in the light and in the dark, on a desktop and on a phone, and fits its width. */
export async function assertAccessible(page: Page, name: string): Promise<void> {
  await page.evaluate(axe.source);
  for (const [colorScheme, runOnly] of Object.entries(schemes)) {
    for (const screen of screens) {
      await page.emulateMedia({ colorScheme: colorScheme as keyof typeof schemes });
      await page.setViewportSize(screen);
      const { violations, scrollWidth, overflow } = await page.evaluate(async (runOnly) => {
        const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
        const results = await axe.run({ runOnly, resultTypes: ["violations"] });
        return {
          violations: results.violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]),
          scrollWidth: document.documentElement.scrollWidth,
          overflow: [...document.querySelectorAll(".card")].map(
            (card) => card.scrollWidth - card.clientWidth,
          ),
        };
      }, runOnly);
      const where = `${name}, ${colorScheme}, ${screen.width} px`;
      assert.deepEqual({ violations, scrollWidth }, { violations: [], scrollWidth: screen.width }, where);
      assert.ok(!overflow.some((pixels) => pixels > 0), `${where}: a card is narrower than what is in it`);
    }
  }
}
