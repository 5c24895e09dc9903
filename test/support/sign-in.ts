import { Browser, click, type TestResponse, typed } from "./browser.ts";

/** Goes from the link to the portal, chooses a user there, and gives the URL to which the portal sends back. */
export async function callbackFor(
  browser: Browser,
  username: string,
  signInUrl = "/sign-in",
): Promise<string> {
  const { headers } = await browser.get(signInUrl, click);
  return choose(String(headers.location), { username });
}

/** Fills in the portal's page as a user does, and gives the URL that it leads to. */
export async function choose(authorizeUrl: string, choice: Record<string, string>): Promise<string> {
  const { origin, pathname, searchParams } = new URL(authorizeUrl);
  const portal = new Browser(origin);
  const { status, headers } = await portal.post(pathname, { ...Object.fromEntries(searchParams), ...choice });
  if (status !== 302) throw new Error(`the portal responded ${status}`);
  return String(headers.location);
}

/** Signs a user in, the whole way; gives the response of the callback. */
export async function signIn(
  browser: Browser,
  username = "sandy_admin",
  signInUrl?: string,
): Promise<TestResponse> {
  return browser.get(await callbackFor(browser, username, signInUrl), typed);
}
