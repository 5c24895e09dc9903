export interface QuotaOptions {
  /** For all users together. */
  most: number;
  /** For one user, so that nobody can use up everything. */
  mostEach: number;
}

/**
 * Limits something that is scarce, in total and per user. The function takes `amount` of it for `owner` and returns
 * the function that gives it back, or `undefined` when there is not enough left.
 */
export function quota({ most, mostEach }: QuotaOptions) {
  const taken = new Map<string, number>();
  let total = 0;

  return (owner: string, amount = 1): (() => void) | undefined => {
    const own = taken.get(owner) ?? 0;
    if (total + amount > most || own + amount > mostEach) return undefined;
    taken.set(owner, own + amount);
    total += amount;
    return () => {
      total -= amount;
      const left = (taken.get(owner) ?? amount) - amount;
      if (left > 0) taken.set(owner, left);
      else taken.delete(owner);
    };
  };
}
