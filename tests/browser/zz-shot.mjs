import { launch, open } from "./support/chromium.mjs";
import { lessonUrl, visit, byId, duelUrl, visitDuel } from "./support/page.mjs";
import { serveFiles } from "./support/servers.mjs";
const browser = await launch(); const server = await serveFiles();
const want = (process.argv[2] ?? "").split(",");
for (const spec of want) {
  const [lesson, beat, screen, scheme, language, more="", ask="1"] = spec.split(":");
  const page = await open(browser, { screen, scheme, language, reducedMotion: "reduce" });
  if (lesson === "duel") await visitDuel(page, duelUrl(server.url, "t=600000000&v=0&w=1000000000"));
  else {
    await visit(page, lessonUrl(server.url, beat, "&t=4200000000" + more, lesson));
    await page.waitForTimeout(700);
    if (ask === "1") await page.locator(".ask").first().click();
    await page.waitForTimeout(300);
  }
  await page.screenshot({ path: `/tmp/shot-${lesson}-${beat}-${screen}-${scheme}-${language}.png`, fullPage: true });
  await page.close();
}
await browser.close(); await server.stop();
