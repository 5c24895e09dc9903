import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Browser } from "./support/browser.ts";
import { freePort, startProgram } from "./support/program.ts";
import { folder, secret } from "./support/site.ts";

const root = join(import.meta.dirname, "..");

/** The programs that README and docs show, with what stands around the shorter ones there. */
function programs(): Record<string, string> {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const excerpt = (text: string, pattern: RegExp) => pattern.exec(text)?.[1] ?? assert.fail(String(pattern));
  const library = read("docs/use-in-your-app.md");
  const store = excerpt(library, /<!-- store\.js -->\n```js\n(.*?)```/s);
  const shared = excerpt(library, /<!-- shared\.js -->\n```diff\n(.*?)```/s).replace(/^[+ ]/gm, "");
  const errors = excerpt(library, /<!-- errors\.js -->\n```js\n(.*?)```/s);
  const signOut = excerpt(library, /<!-- sign-out\.js -->\n```js\n(.*?)```/s);
  const compared = excerpt(read("docs/organizations.md"), /```ts\n(.*?)```/s);
  const app = excerpt(library, /<!-- app\.js -->\n```js\n(.*?)```/s);
  assert.match(app, /^app\.use\(auth\);\n/m);
  return {
    "host.ts": excerpt(library, /<!-- host\.js -->\n```js\n(.*?)```/s),
    "hello.ts": excerpt(read("README.md"), /<!-- hello\.js -->\n```js\n(.*?)```/s),
    "app.ts": app,
    "shared.ts": `import session from "express-session";
      ${app.replace("portal:", "shareSession: true, portal:").replace("app.use(auth);\n", shared)}`,
    "store.ts": `import express from "express";
      import session from "express-session";
      const app = express();
      const yourOptions = { secret: "", resave: false, saveUninitialized: false };
      ${store}`,
    "errors.ts": `import { AuthError } from "arcgis-sign-in";
      import express, { type ErrorRequestHandler } from "express";
      const app = express();
      ${errors.replace("app.use((", "app.use(((").replace(/\}\);\n$/, "}) satisfies ErrorRequestHandler);")}`,
    "sign-out.ts": `import { type ArcGISAuthOptions } from "arcgis-sign-in";
      declare module "express-session" {
        interface SessionData {
          cart: string[];
        }
      }
      ${signOut.replace("onSignOut", 'onSignOut: ArcGISAuthOptions["onSignOut"]')}`,
    "compared.ts": `import "arcgis-sign-in";
      import type { Request } from "express";
      declare function myUser(req: Request): { loginName: string };
      export async function compare(req: Request): Promise<void> {
        ${compared}
      }`,
  };
}

test("the examples in README and docs compile against the package's types, strictly, and the one of mounting runs", async (t) => {
  const run = promisify(execFile);
  await run(process.execPath, [join(root, "scripts/build.js"), "--if-needed"]);
  // A folder that is this package to TypeScript and to Node: its name leads to dist/ and the types in it.
  const cwd = folder(t);
  for (const name of ["dist", "views", "node_modules"]) symlinkSync(join(root, name), join(cwd, name));
  copyFileSync(join(root, "package.json"), join(cwd, "package.json"));
  const examples = programs();
  // With `any` in the place of our types this would compile, too.
  const wrong = examples["host.ts"]?.replace(
    "createApp({ config })",
    'createApp({ config, store: "no store" })',
  );
  for (const [name, text] of Object.entries({ ...examples, "wrong.ts": String(wrong) }))
    writeFileSync(join(cwd, name), text);
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    // So that our own declarations are checked like code.
    skipLibCheck: false,
    types: ["node"],
  };
  writeFileSync(
    join(cwd, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: [...Object.keys(examples), "wrong.ts"] }),
  );
  const complaints = await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], {
    cwd,
  }).then(
    () => [],
    // The library's own declarations miss those of two of its packages.
    ({ stdout }) =>
      String(stdout)
        .split("\n")
        .filter((line) => /^\S/.test(line) && !line.includes("@esri/")),
  );
  assert.equal(complaints.length, 1, String(complaints));
  assert.match(
    String(complaints),
    /^wrong\.ts.* TS2322: Type 'string' is not assignable to type 'SealedStore'/,
  );

  const port = await freePort();
  const url = `http://localhost:${port}/gis/`;
  const env = {
    CLIENT_ID: "test-app",
    REDIRECT_URI: `${url}authenticate`,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    PORT: String(port),
  };
  await startProgram(t, { file: join(cwd, "host.js"), cwd, url, env });
  assert.match((await new Browser(url).get("")).body, /href="\/gis\/sign-in\?returnTo=%2Fgis%2F"/);
});
