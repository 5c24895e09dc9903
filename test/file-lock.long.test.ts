import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { casesOf } from "./support/rounds.ts";
import { folder } from "./support/temporary.ts";

/** Linux refuses to replace or remove what is mounted, with a code that Windows gives for a file that is open. */
const windows: [what: string, script: string, output: string][] = [
  [
    "is replaced and removed when it is closed",
    `
    busy(500);
    console.log(await writeDurably(file, "new"), readFileSync(file, "latin1"));
    busy(500);
    console.log(await removeDurably(file));
    await writeDurably(file, "old");
    `,
    "true new\ntrue\n",
  ],
  [
    "is given up after 5 s",
    `
    execFileSync("mount", ["--bind", file, file]);
    console.log(await writeDurably(file, "new").catch(({ code }) => code), readFileSync(file, "latin1"));
    execFileSync("umount", [file]);
    `,
    "EBUSY old\n",
  ],
];

for (const [what, steps, expected] of casesOf(windows, 1))
  test(`ST-15 on Windows, a file that another program has open ${what}`, (t) => {
    const dir = folder(t);
    const file = join(dir, "record.session");
    writeFileSync(file, "old");
    try {
      execFileSync("mount", ["--bind", file, file], { stdio: "ignore" });
      execFileSync("umount", [file]);
    } catch {
      const reason = "a file cannot be mounted: run the tests as root, where mounting is permitted";
      if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
      t.skip(reason);
      return;
    }
    const script = `
    import { execFileSync } from "node:child_process";
    import { readFileSync } from "node:fs";
    Object.defineProperty(process, "platform", { value: "win32" });
    const { removeDurably, writeDurably } = await import(${JSON.stringify(import.meta.resolve("#src/auth/session/safe-file.ts"))});
    const file = ${JSON.stringify(file)};
    const busy = (ms) => {
      execFileSync("mount", ["--bind", file, file]);
      setTimeout(() => execFileSync("umount", [file]), ms);
    };
    ${steps}
  `;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    assert.equal(output, expected);
    assert.deepEqual(readdirSync(dir), ["record.session"]);
  });
