import { AppError } from "../errors.ts";

export interface PlacesOptions {
  /** Requests under way at once, of everybody together. */
  most: number;
  /** The same of one session: nobody can take all places. */
  mostEach: number;
}

/**
 * Counts requests under way. The function takes a place for `owner` and gives the function that leaves it; it
 * throws AppError busy when there is none.
 */
export function places({ most, mostEach }: PlacesOptions): (owner: string) => () => void {
  const taken = new Map<string, number>();
  let all = 0;

  return (owner) => {
    const mine = taken.get(owner) ?? 0;
    if (all >= most || mine >= mostEach) throw new AppError("busy");
    taken.set(owner, mine + 1);
    all += 1;
    return () => {
      all -= 1;
      const left = (taken.get(owner) ?? 1) - 1;
      if (left > 0) taken.set(owner, left);
      else taken.delete(owner);
    };
  };
}
