import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { assemble, walkThrough } from "./support/walkthrough.ts";

const root = join(import.meta.dirname, "..");
const redirectUri = "http://localhost:3000/authenticate";
const clients = [{ clientId: "app", redirectUris: [redirectUri] }];

describe("the sandbox as a package entry point", () => {
  test("the examples of docs/testing.md pass for a reader who types it, on the package's name of today", async (t) => {
    const files = walkThrough("docs/testing.md").steps.get(3) ?? new Map<string, string>();
    const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.ok(files.get("app.test.js")?.includes(`from "${name}/sandbox"`));
    const cwd = assemble(t, new Map([...files, ["package.json", '{ "type": "module" }']]));
    const { NODE_TEST_CONTEXT: _, TEST_QUEUE: __, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd,
      env,
    });
    assert.match(stdout, /^# pass 6$/m, stdout);
  });

  test("loads no devDependency, and prints no warning", async (t) => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const hooks = `export async function resolve(name, context, next) {
      if (${JSON.stringify(Object.keys(devDependencies))}.some((each) => name === each || name.startsWith(each + "/")))
        throw new Error(name + " is a devDependency");
      return next(name, context);
    }`;
    const script = `
      import { register } from "node:module";
      register("data:text/javascript," + ${JSON.stringify(encodeURIComponent(hooks))});
      const { startSandbox } = await import("arcgis-sign-in/sandbox");
      const sandbox = await startSandbox({ clients: ${JSON.stringify(clients)} });
      const query = new URLSearchParams({ client_id: "app", response_type: "code", redirect_uri: ${JSON.stringify(redirectUri)} });
      const page = await fetch(sandbox.url + "/oauth2/authorize?" + query);
      console.log(page.status, (await page.text()).includes("Sandy Boxwell"));
      await sandbox.close();
    `;
    const cwd = assemble(t, new Map([["app.mjs", script]]));
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--disable-warning=DEP0205", "app.mjs"],
      { cwd, env },
    );
    assert.deepEqual([stdout, stderr], ["200 true\n", ""]);
  });
});
