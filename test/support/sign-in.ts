import { type Answer, Browser, click, typed } from "./browser.ts";

/** Goes from the link to the portal, chooses a person there, and gives the address the portal sends back to. */
export async function callbackFor(
  browser: Browser,
  username: string,
  signInUrl = "/sign-in",
): Promise<string> {
  const { headers } = await browser.get(signInUrl, click);
  return choose(String(headers.location), { username });
}

/** Answers the portal's page as a person does, and gives the address it leads to. */
export async function choose(authorizeUrl: string, choice: Record<string, string>): Promise<string> {
  const { origin, pathname, searchParams } = new URL(authorizeUrl);
  const portal = new Browser(origin);
  const { status, headers } = await portal.post(pathname, { ...Object.fromEntries(searchParams), ...choice });
  if (status !== 302) throw new Error(`the portal answered ${status}`);
  return String(headers.location);
}

/** Signs a person in, the whole way; gives the answer of the callback. */
export async function signIn(
  browser: Browser,
  username = "sandy_admin",
  signInUrl?: string,
): Promise<Answer> {
  return browser.get(await callbackFor(browser, username, signInUrl), typed);
}
