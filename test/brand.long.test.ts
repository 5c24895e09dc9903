import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { myContent } from "#src/cli/demo-content.ts";
import { assertAccessible } from "./support/axe.ts";
import { Browser } from "./support/browser.ts";
import { signInAs, startChromium } from "./support/chromium.ts";
import { openMapSite } from "./support/map-site.ts";
import { signIn } from "./support/site.ts";
import { folder } from "./support/temporary.ts";

const { skip, open } = await startChromium();

const tallLogo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 200"><path fill="#8e7400" d="M0 0h20v200H0z"/></svg>';
const headings = { "de-DE": "Ihre Anmeldungen", "es-ES": "Sus sesiones", "ja-JP": "サイン インの一覧" };

for (const [locale, heading] of Object.entries(headings)) {
  test(`with a long name, a tall logo and a yellow, every page passes axe and fits its width, in ${locale}`, {
    skip,
  }, async (t) => {
    const app = createServer((_req, res) => res.end("<!doctype html><title>App</title>"));
    await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
    t.after(() => void app.close().closeAllConnections());
    const appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;

    const logo = join(folder(t), "logo.svg");
    writeFileSync(logo, tallLogo);
    const { url } = await openMapSite(t, {
      routes: myContent,
      settings: {
        APP_NAME: "Landesvermessungsverwaltungsgeoinformationszentrum Nordrhein",
        APP_LOGO: logo,
        APP_COLOR: "#8e7400",
        TOKEN_HANDOVER: true,
        EMBED_ORIGINS: [appUrl],
        PORTALS: [{ id: "county", title: "County GIS", url: "https://county.invalid/portal", clientId: "x" }],
      },
    });
    // A color on its way to another one is not what is judged here.
    const { page } = await open(t, { locale, reducedMotion: "reduce" });
    const look = async (path: string) => {
      await page.goto(url + path);
      await assertAccessible(page, `${locale} ${path}`);
    };

    for (const path of ["/", "/sign-in", "/signed-in", "/nothing"]) await look(path);
    await signInAs(page, url, "Sandy Boxwell");
    // In two more browsers: then there is a button for each, and one for both.
    for (let count = 0; count < 2; count++)
      await signIn(new Browser(url), "sandy_admin", "/sign-in?portal=main");
    for (const path of ["/", "/sign-ins", "/sign-out", "/content?page=2", `/embed?url=${appUrl}/`])
      await look(path);
    await page.goto(`${url}/sign-ins`);
    await page.locator("h1", { hasText: heading }).waitFor();

    await page.goto(`${url}/map#12/50.70000/7.10000`);
    await page.locator("#in-view button").first().click();
    await page.locator(".leaflet-popup").waitFor();
    await assertAccessible(page, `${locale} /map`);
  });
}
