import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AppError, type ErrorCode, type KnownError } from "#src/app/errors.ts";
import { AuthError } from "#src/index.ts";
import { ProxyError } from "#src/proxy/arcgis-proxy.ts";
import type { Browser, TestResponse } from "./browser.ts";
import type { Site } from "./site.ts";

/** The error with this code, of the first part of the server that has it; with `isOfProxy`, not of the app. */
export function errorOf(
  code: ErrorCode,
  { cause, isOfProxy = false }: { cause?: Error; isOfProxy?: boolean } = {},
) {
  const makers: (() => KnownError)[] = [
    () => new AppError(code as AppError["code"], { cause }),
    () => new ProxyError(code as ProxyError["code"], cause?.message),
    () => new AuthError(code as AuthError["code"], { cause }),
  ];
  for (const make of isOfProxy ? makers.slice(1) : makers) {
    try {
      return make();
    } catch (error) {
      // Another part has it.
      assert.ok(error instanceof TypeError);
    }
  }
  assert.fail(`no error has the code ${code}`);
}

const english = JSON.parse(readFileSync(new URL("../../views/locales/en.json", import.meta.url), "utf8"));

/** What the page of an error says in English. */
export function pageTextsOf(code: ErrorCode): { title: string; text: string } {
  return { title: english[`error.${code}.title`], text: english[`error.${code}.text`] };
}

/**
 * Asserts that this is our error page for `code`: its status, its texts, the request id to quote, nothing that
 * a cache may keep, no stack trace (OU-4), and no session begun by it.
 */
export function assertErrorPage(response: TestResponse, code: ErrorCode): void {
  const shown = /data-code="(\w+)"/.exec(response.body)?.[1];
  const error = errorOf(code);
  const { status } = error;
  assert.deepEqual({ status: response.status, code: shown }, { status, code }, response.body);
  const text = response.body.replaceAll("&#39;", "'");
  for (const part of Object.values(pageTextsOf(code)))
    assert.ok(text.includes(part), `the page says: ${part}`);
  const requestId = String(response.headers["x-request-id"]);
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.ok(response.body.includes(`Request ID: ${requestId}`), "the page shows the request id");
  assert.equal(response.headers["cache-control"], "no-store");
  assertNoInternals(response.body);
  assert.deepEqual(
    response.setCookies.filter((cookie) => /\.sid=/.test(cookie)),
    [],
  );
}

/** Asserts that a text tells nothing of the server's inside: no stack, no path, no package (OU-4). */
export function assertNoInternals(text: string): void {
  assert.doesNotMatch(text, /^\s+at |node_modules|node:internal|file:\/\/|\.[jt]s:\d|[A-Z]\w*Error\b/m);
}

/** The user name on the start page of this browser; `undefined` when it is signed out. */
export async function whoIs(browser: Browser, home = "/"): Promise<string | undefined> {
  const { status, body } = await browser.get(home);
  assert.equal(status, 200, body);
  return /<p class="quiet"><bdi>([^<]*)<\/bdi>/.exec(body)?.[1];
}

/** How often the app came to the portal's token endpoint. */
export function tokenCalls({ sandbox }: Site): number {
  return sandbox.log.filter(({ endpoint }) => endpoint === "token").length;
}
