import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads sample data. A JSON module would print a warning on older Node 20. */
export function readSampleData<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "data", `${name}.json`), "utf8"));
}
