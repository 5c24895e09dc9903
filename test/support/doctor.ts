import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import type { DoctorOptions } from "#src/cli/doctor/probe.ts";
import { doctor, type NamedFinding as Finding } from "#src/cli/doctor.ts";
import type { Sandbox } from "#src/sandbox/index.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { folder, secret } from "./temporary.ts";

export interface Patient {
  sandbox: Sandbox;
  /** The settings, to be made worse. */
  settings: Record<string, unknown>;
  env: NodeJS.ProcessEnv;
  options: DoctorOptions;
  cwd: string;
}

export const clientId = "doctor-app";

export const redirectUri = "http://localhost:3000/authenticate";

/** A server that could start, at a portal that knows it. */
export async function patient(t: TestContext): Promise<Patient> {
  const sandbox = await startSandbox({ clients: [{ clientId, redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const cwd = folder(t);
  const settings = {
    CLIENT_ID: clientId,
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
  };
  // A version that nothing is wrong with, whichever runs the tests.
  return { sandbox, settings, env: {}, options: { nodeVersion: "100.0.0" }, cwd };
}

/** Runs the command; gives its exit code and what it wrote. */
export async function run({ cwd, settings, env, options }: Omit<Patient, "sandbox">, ...args: string[]) {
  const path = join(cwd, "config.json");
  writeFileSync(path, JSON.stringify(settings), { mode: 0o600 });
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const context = { cwd: () => cwd, env, stdin, stdout, stderr };
  const code = await doctor({ json: args.includes("--json") }, context, options);
  stdout.end();
  stderr.end();
  return { code, output: await text(stdout), error: await text(stderr) };
}

/** The findings, and the exit code that goes with them. */
export async function examine(it: Omit<Patient, "sandbox">): Promise<Finding[]> {
  const { code, output } = await run(it, "--json");
  const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] };
  const isWell = findings.every(({ status }) => status !== "problem");
  assert.deepEqual([ok, code], [isWell, isWell ? 0 : 1]);
  for (const { check, status, found, fix } of findings) {
    assert.ok(check && found, "a check has a name and a finding");
    assert.equal(fix !== undefined, status === "warning" || status === "problem", `${check}: ${found}`);
  }
  return findings;
}

/** Asserts that these are the only warnings and problems, each written as "status check: found. fix". */
export async function assertTrouble(
  it: Omit<Patient, "sandbox">,
  ...expected: (string | RegExp)[]
): Promise<void> {
  const findings = await examine(it);
  const troubles = findings
    .filter(({ fix }) => fix !== undefined)
    .map(({ check, status, found, fix }) => `${status} ${check}: ${found}. ${fix}`);
  const shown = `these troubles:\n${troubles.join("\n")}`;
  assert.equal(troubles.length, expected.length, shown);
  for (const [index, text] of expected.entries()) {
    if (typeof text === "string") assert.equal(troubles[index], text);
    else assert.match(String(troubles[index]), text, shown);
  }
}
