// Makes the pictures of the README, docs/images: the real start page and the real map, with a user signed in. Then those of
// examples/branding: the same with a look of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { parseConfig } from "#src/app/config/config.ts";
import { serve } from "#src/app/serve.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { packedChromium, signInAs } from "./support/chromium.ts";
import { secret } from "./support/site.ts";

const url = "http://localhost:3000";
const redirectUri = `${url}/authenticate`;
const folder = mkdtempSync(join(tmpdir(), "screenshot-"));

const sandbox = await startSandbox({
  port: 3001,
  clients: [{ clientId: "demo", redirectUris: [redirectUri] }],
});
const settingsOf = (look: object) =>
  parseConfig({
    ...look,
    CLIENT_ID: "demo",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SESSION_DIR: join(folder, "sessions"),
    MAP_LAYERS: sandbox.layers,
    PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/`,
    LOG_LEVEL: "warn",
  });
let server = await serve(settingsOf({}));

// Browser and font come from npm, so that the picture looks the same wherever it is made.
const executablePath = await packedChromium();
const FONTCONFIG_FILE = join(folder, "fonts.conf");
const fonts = join(dirname(executablePath), "fonts");
writeFileSync(FONTCONFIG_FILE, `<fontconfig><dir>${fonts}</dir><cachedir>${folder}</cachedir></fontconfig>`);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox"],
  env: { ...process.env, FONTCONFIG_FILE },
});

try {
  const page = await browser.newPage({
    viewport: { width: 800, height: 400 },
    deviceScaleFactor: 2,
    colorScheme: "light",
    timezoneId: "UTC",
  });
  await signInAs(page, url, "Sandy Boxwell");
  const images = join(import.meta.dirname, "../docs/images");
  await page.screenshot({ path: join(images, "home.png"), fullPage: true });

  await page.setViewportSize({ width: 1000, height: 560 });
  await page.goto(`${url}/map`);
  await page.locator("#in-view button", { hasText: "Oberkassel" }).click();
  await page.locator(".leaflet-popup").waitFor();
  await page.locator(".panel h1").scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(images, "map.png"), animations: "disabled" });

  const example = join(import.meta.dirname, "../examples/branding");
  await server.stop();
  server = await serve(settingsOf(JSON.parse(readFileSync(join(example, "settings.json"), "utf8"))));
  const phone = { viewport: { width: 375, height: 500 }, timezoneId: "UTC" };
  const english = await browser.newPage({ ...phone, locale: "en-US", colorScheme: "light" });
  await english.goto(url);
  await english.screenshot({ path: join(example, "sign-in-light.png"), fullPage: true });
  const german = await browser.newPage({ ...phone, locale: "de-DE", colorScheme: "dark" });
  await signInAs(german, url, "Sandy Boxwell");
  await german.screenshot({ path: join(example, "home-dark.png"), fullPage: true });
} finally {
  await browser.close();
  await server.stop();
  await sandbox.close();
  rmSync(folder, { recursive: true });
}
