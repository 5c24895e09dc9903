import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { callCli } from "./cli.ts";
import { settingsOf } from "./sessions-command.ts";
import { folder, type Site, signIn } from "./site.ts";

/** The settings of a site as its command would find them, also when its sessions are in Redis. */
export const settingsWithRedis = (site: Site) => {
  const { redisUrl } = site.config;
  return settingsOf(site, redisUrl && { REDIS_URL: `redis://127.0.0.1:${redisUrl.nodes[0]?.port}` });
};

/** What the log of a server says about operators. */
export const actions = (site: Site) => site.log.lines.filter(({ event }) => event === "operator");

/** Signs users in and ends their sessions, those of one and all others. */
export async function revokeAll(t: TestContext, site: Site) {
  for (const user of ["sandy_admin", "sandy_admin", "vik_viewer"]) await signIn(site.browser(), user);
  const revoke = async (args: string[], env: Record<string, string>, expected = 0) => {
    const command = ["sessions", "revoke", ...args];
    const { code } = await callCli(command, { cwd: folder(t), env: { ...settingsWithRedis(site), ...env } });
    assert.equal(code, expected);
  };
  await revoke(["sandy_admin"], { USER: "service", SUDO_USER: "otto" });
  await revoke(["nosuch_user"], {}, 1);
  await revoke(["--all"], { USER: "evil\n\u001b[31m" });
  await revoke(["--all"], {});
}

export function assertActions(...sites: Site[]): void {
  const lines = sites.flatMap(actions).sort((a, b) => String(a.at).localeCompare(String(b.at)));
  const said = "an operator has ended sessions";
  assert.deepEqual(
    lines.map(({ level, action, user, sessions, by, msg }) => [level, action, user, sessions, by, msg]),
    [
      [40, "revoke", "sandy_admin", 2, "otto", said],
      [40, "revoke", undefined, 1, "evil\n\u001b[31m", said],
    ],
  );
  assert.ok(!sites.some((site) => site.log.text().includes("\u001b")), "escaped");
}
