import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";

/** Machines at one switch. */
export interface Network {
  /** What runs a command on a machine, as the words before it. */
  on(machine: string): string[];
  /** Takes a machine off the network: nothing reaches it, nothing is refused. */
  cut(machine: string): void;
  mend(machine: string): void;
}

const ip = (...args: string[]) => void execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });

/** For the `skip` option of a test: false, or why there can be no network namespaces, even with REQUIRE_ALL=1. */
export function networkIsMissing(): string | false {
  if (process.platform !== "linux") return "needs network namespaces, which only Linux has";
  const name = `arcgis-${randomBytes(4).toString("hex")}`;
  try {
    ip("netns", "add", name);
    ip("netns", "exec", name, "sysctl", "-w", "net.ipv4.tcp_retries2=5");
    return false;
  } catch (error) {
    return `needs network namespaces, so root with CAP_NET_ADMIN, a writable /proc/sys, and Debian's packages "iproute2" and "procps". REQUIRE_ALL does not ask for them, because few containers have these rights: ${error}`;
  } finally {
    try {
      ip("netns", "del", name);
    } catch {
      // There is none.
    }
  }
}

/**
 * Machines in network namespaces of their own, which disappear with the test. The switch is in the first one, so nothing
 * here is reachable from the machine itself, and no address can clash.
 */
export function openNetwork(t: Pick<TestContext, "after">, addresses: Record<string, string>): Network {
  const id = randomBytes(4).toString("hex");
  const nameOf = (machine: string) => `arcgis-${id}-${machine}`;
  const machines = Object.entries(addresses);
  const first = nameOf(machines[0]?.[0] ?? "");
  for (const [machine, address] of machines) {
    const name = nameOf(machine);
    ip("netns", "add", name);
    t.after(() => ip("netns", "del", name));
    ip("-n", name, "link", "set", "lo", "up");
    const device = name === first ? "switch" : "eth0";
    if (name === first) ip("-n", first, "link", "add", device, "type", "bridge");
    else {
      ip("-n", first, "link", "add", "name", machine, "type", "veth", "peer", "name", device, "netns", name);
      ip("-n", first, "link", "set", "dev", machine, "master", "switch", "up");
    }
    ip("-n", name, "address", "add", `${address}/24`, "dev", device);
    ip("-n", name, "link", "set", device, "up");
  }
  return {
    on: (machine) => ["ip", "netns", "exec", nameOf(machine)],
    cut: (machine) => ip("-n", first, "link", "set", "dev", machine, "down"),
    mend: (machine) => ip("-n", first, "link", "set", "dev", machine, "up"),
  };
}
