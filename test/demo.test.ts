import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain } from "#src/serve.ts";
import { freePort } from "./support/program.ts";
import { folder } from "./support/site.ts";

test("a demo that cannot have a port names the setting to change, and leaves with exit code 78", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;

  const refusals = await Promise.all([
    runDemo(folder(t), { PORT: String(port), SANDBOX_PORT: "0" }),
    runDemo(folder(t), { PORT: String(await freePort()), SANDBOX_PORT: String(port) }),
  ]);
  const told = ["PORT", "SANDBOX_PORT"].map((key) => ({
    code: 78,
    stderr: `${key}: 127.0.0.1:${port} is taken by another program. Stop that one, or set another ${key}.\n`,
  }));
  assert.deepEqual(refusals, told);
});

test("a port that is none is refused in the same words as any other setting", () => {
  try {
    createServer().listen(Number("3001a"));
    assert.fail("Node has listened");
  } catch (error) {
    assert.deepEqual(explain(error, "SANDBOX_PORT"), {
      message: "SANDBOX_PORT: must be a whole number from 0 to 65535. Write it in digits.",
      exitCode: 78,
    });
  }
});

test("the demo refuses to run in production, and leaves nothing there", async (t) => {
  const cwd = folder(t);
  assert.deepEqual(await runDemo(cwd, { NODE_ENV: "production", PORT: "0", SANDBOX_PORT: "0" }), {
    code: 1,
    stderr: "The sandbox portal signs anybody in: it does not start with NODE_ENV=production.\n",
  });
  assert.ok(!existsSync(join(cwd, "sessions")));
  assert.deepEqual(readdirSync(join(cwd, ".demo")), []);
});

/** Runs a demo that stops by itself. */
async function runDemo(cwd: string, env: Record<string, string>): Promise<{ code: unknown; stderr: string }> {
  const demo = fileURLToPath(import.meta.resolve("#src/sandbox/demo.ts"));
  const options = { cwd, env: { PATH: process.env.PATH, ...env }, timeout: 30_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, [demo], options, (error, _, stderr) => resolve({ code: error?.code, stderr }));
  });
}
