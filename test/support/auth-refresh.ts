import type { AuthApp } from "./auth-app.ts";
import type { Browser } from "./browser.ts";
import { signIn } from "./sign-in.ts";

export async function signedIn(app: AuthApp, username = "sandy_admin"): Promise<Browser> {
  const browser = app.browser();
  await signIn(browser, username);
  return browser;
}
