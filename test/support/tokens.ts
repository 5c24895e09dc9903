import type { Sandbox } from "#src/sandbox/index.ts";
import { type Browser, click, type TestResponse } from "./browser.ts";

export const fromPage = {
  ...click,
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Dest": "empty",
  Accept: "application/json",
};

export function grants(sandbox: Sandbox, type: string): number {
  return sandbox.log.filter(({ endpoint, params }) => endpoint === "token" && params.grant_type === type)
    .length;
}

export function credential(browser: Browser): Promise<TestResponse> {
  return browser.get("/api/credential", fromPage);
}
