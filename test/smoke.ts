// `npm run demo` as a new user meets it: it starts, a user signs in, it stops. Exits 1 when it does not.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./support/browser.ts";
import { signIn } from "./support/sign-in.ts";

const started = performance.now();
const PORT = process.env.PORT ?? "3000";
const demo = spawn("npm", ["run", "demo"], {
  stdio: "inherit",
  env: { ...process.env, PORT },
  detached: true,
});

try {
  const browser = new Browser(`http://localhost:${PORT}`);
  let home = await browser.get("/").catch(() => undefined);
  while (!home && demo.exitCode === null && performance.now() - started < 60_000) {
    await sleep(200);
    home = await browser.get("/").catch(() => undefined);
  }
  assert.equal(home?.status, 200, "the demo serves its start page");
  console.log(`The demo was there after ${Math.round(performance.now() - started)} ms.`);

  assert.equal((await signIn(browser)).status, 303, "the callback sends the browser on");
  assert.match((await browser.get("/")).body, /sandy_admin/, "the start page greets the user");
} finally {
  // npm passes no signal on to its grandchildren, but they are a process group.
  if (demo.pid && demo.exitCode === null) {
    process.kill(-demo.pid, "SIGTERM");
    await once(demo, "exit");
  }
}
console.log("The demo works.");
