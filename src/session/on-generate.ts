import type { Request } from "express";
import type { Store } from "express-session";

/**
 * Tells of each session that express-session makes: so a store can tell a new session from one that was destroyed
 * meanwhile. express-session assigns its own `generate` to the store, over any method of that name.
 */
export function onGenerate(store: Store, note: (session: object) => void): void {
  let generate: (req: Request) => void;
  Object.defineProperty(store, "generate", {
    set: (assigned: typeof generate) => {
      generate = assigned;
    },
    get: () => (req: Request) => {
      generate(req);
      note(req.session);
    },
  });
}
