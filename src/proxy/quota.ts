import type { Response } from "express";

/** Limits a resource. The function reserves `amount` until `res` ends; false if there is not enough left. */
export function quota({ total, perUser }: { total: number; perUser: number }) {
  const taken = new Map<string, number>();
  let sum = 0;
  return (user: string, res: Response, amount = 1): boolean => {
    const own = taken.get(user) ?? 0;
    if (sum + amount > total || own + amount > perUser) return false;
    taken.set(user, own + amount);
    sum += amount;
    res.once("close", () => {
      sum -= amount;
      const left = (taken.get(user) ?? amount) - amount;
      if (left > 0) taken.set(user, left);
      else taken.delete(user);
    });
    return true;
  };
}
