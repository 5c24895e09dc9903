import type { TestContext } from "node:test";
import { bin } from "./cli.ts";
import { freePort, startProgram } from "./program.ts";
import { folder } from "./temporary.ts";

/** Starts the demo, with changes of its compiled source: file, text, and the new text, in which $ is the old one. */
export async function startDemo(t: TestContext, changes: string[][] = []) {
  const [port, sandboxPort, cwd] = [await freePort(), await freePort(), folder(t)];
  const url = `http://localhost:${port}`;
  const hooks = `export async function load(url, context, next) {
    const loaded = await next(url, context);
    for (const [file, from, to] of ${JSON.stringify(changes)}) {
      if (!url.endsWith("/dist/" + file)) continue;
      const source = String(loaded.source);
      if (!source.includes(from)) throw new Error("not in " + file + ": " + from);
      loaded.source = source.replaceAll(from, () => to.replace("$", () => from));
    }
    return loaded;
  }`;
  const urlOf = (script: string) => `data:text/javascript,${encodeURIComponent(script)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(urlOf(hooks))});`;
  const NODE_OPTIONS = `--disable-warning=DEP0205 --import=${urlOf(register)}`;
  await startProgram(t, {
    ...{ file: bin, args: ["demo"], cwd, url },
    env: {
      PORT: String(port),
      SANDBOX_PORT: String(sandboxPort),
      ...(changes.length > 0 && { NODE_OPTIONS }),
    },
  });
  return { url, cwd };
}
