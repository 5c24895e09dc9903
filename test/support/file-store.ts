import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileBackend } from "#src/session-store.ts";
import { folder } from "./site.ts";

export function openFiles(t: TestContext, { path = join(folder(t), "sessions") } = {}) {
  const repairs: string[] = [];
  const store = fileBackend(path, { onRepaired: (message) => void repairs.push(message) });
  const file = (name: string) => join(path, `${name}.session`);
  const textOf = async (name: string) => (await store.read(name))?.text;
  return { store, path, file, textOf, files: () => readdirSync(path), repairs };
}
