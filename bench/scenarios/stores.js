import { signedInUsers } from "../field.js";
import { alternate } from "../load.js";
import { signedOut } from "./pages.js";

const entries = [
  ["our-store", "our-store", "our file store under express-session", {}],
  ["memory-manager", "memory", "MemoryStore, made into a manager", { REVIVE: "1" }],
  ["our-store-plain", "our-store", "our file store, plain data", { SESSION_HOLDS: "username" }],
  ["memory-plain", "memory", "MemoryStore, plain data", { SESSION_HOLDS: "username" }],
  ["our-sessions", "our-sessions", "our session layer, only read", {}],
  ["our-sessions-writable", "our-sessions", "our session layer, for pages that change it", { WRITABLE: "1" }],
];

/** The session alone, under a page of 1 KB: our sealed files beside express-session's memory. */
export async function stores(field, plan) {
  const contestants = [];
  for (const [id, program, label, env] of entries) {
    const child = await field.peer(program, env, id);
    const users = await signedInUsers(child, plan.users);
    contestants.push({ id, label: `${label}, signed in GET /`, children: [child], users });
    if (id === "our-sessions") contestants.push(...signedOut(id, "our session layer", child, field));
  }
  const results = await alternate(contestants, plan);
  for (const child of new Set(contestants.flatMap(({ children }) => children))) await child.stop();
  return results;
}
