export const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
export const edge =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0";

export interface Shown {
  browser: string;
  isHere: boolean;
  /** What its button sends. */
  name: string | undefined;
}

/** What the page lists. */
export function listIn(body: string): Shown[] {
  return [...body.matchAll(/<li>.*?<\/li>/gs)].map(([item]) => ({
    browser: /<strong>([^<]*)</.exec(item)?.[1] ?? "",
    isHere: item.includes("This browser"),
    name: /name="session" value="([^"]*)"/.exec(item)?.[1],
  }));
}
