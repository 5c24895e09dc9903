import type { TestContext } from "node:test";
import type { Fault, FaultEndpoint } from "#src/sandbox/faults.ts";
import type { Site } from "./site.ts";

/** Makes the time limit for what the portal never says a short one; gives what all limits would have been (ms). */
export function hurry(t: TestContext, { sandbox }: Site): number[] {
  const limits: number[] = [];
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const silent = new Set<string>();
  const { set } = sandbox.faults;
  t.mock.method(sandbox.faults, "set", (endpoint: FaultEndpoint, fault: Fault) => {
    silent.delete(endpoint);
    if (/hang|drip|delay/.test(fault.kind)) silent.add(endpoint);
    set(endpoint, fault);
  });
  t.mock.method(AbortSignal, "timeout", (ms: number) => {
    limits.push(ms);
    // For nothing else: on a busy machine, a portal that responds would be too slow.
    if (ms === 10_000) return timeout(silent.has("token") ? 100 : ms);
    // A revocation has this limit, too.
    return timeout(silent.has("self") ? 600 : ms);
  });
  return limits;
}
