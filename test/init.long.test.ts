import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { run } from "./support/init.ts";

const root = mkdtempSync(join(tmpdir(), "init-test-"));
after(() => rmSync(root, { recursive: true }));
const folder = () => mkdtempSync(join(root, "case-"));

describe("npm run init with flags", () => {
  test("without a terminal and without --client-id it exits 1, names the flag and writes nothing", async () => {
    const cwd = folder();
    assert.deepEqual(await run(cwd, "--portal", "https://gis.example.com/portal"), {
      code: 1,
      output: "",
      error: "--client-id: is missing. Copy the client ID from the OAuth credentials item in your portal.\n",
    });
    assert.deepEqual(readdirSync(cwd), []);
  });
});
