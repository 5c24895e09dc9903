/** In this order: most browsers also name others, for compatibility. */
const browsers: [name: string, sign: RegExp][] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOP[RT]\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Vivaldi", /\bVivaldi\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Headless)?(?:Chrome|CriOS)\//],
  ["Safari", /^(?=.*\bVersion\/\d).* Safari\//],
];

const systems: [name: string, sign: RegExp][] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows NT\b/],
  ["macOS", /\bMac OS X\b/],
  ["Linux", /\bLinux\b/],
];

/**
 * The browser and the system that a `User-Agent` names, in words such as "Firefox on Linux"; `undefined` when neither
 * is known. Versions and devices are left out: they are often false, and users do not recognize them. Some browsers,
 * such as Brave, claim to be Chrome, and an iPad usually claims to be a Mac.
 */
export function browserName(userAgent = ""): string | undefined {
  // Real ones are shorter.
  const text = userAgent.slice(0, 512);
  const nameIn = (list: typeof browsers) => list.find(([, sign]) => sign.test(text))?.[0];
  const [browser, system] = [nameIn(browsers), nameIn(systems)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? (system && `A browser on ${system}`);
}
