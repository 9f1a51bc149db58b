// Every page on desktop and phone, light and dark, English and Korean: axe finds nothing, nothing is wider than the screen,
// and a screenshot is left in target/screenshots for people to look at.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { LANGUAGES, launch, open, SCHEMES, SCREENS } from "./support/chromium.mjs";
import { BEATS, byId, duelUrl, lessonUrl, PATIENCE, visit, visitDuel } from "./support/page.mjs";
import { SCREENSHOTS, serveFiles } from "./support/servers.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Guests have just booted. */
const DUEL_MOMENT = "t=600000000&v=200000000&w=500000000";

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launch(), serveFiles()]);
  await mkdir(SCREENSHOTS, { recursive: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What axe finds, a line each. */
async function complaintsOfAxe(page) {
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target}`));
}

async function look(page, name) {
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  assert.ok(overhang <= 0, `${name} is ${overhang} px wider than the screen`);
  assert.deepEqual(await complaintsOfAxe(page), [], name);
}

test("axe would find a picture without words and grey on grey", async () => {
  const page = await open(browser);
  await visit(page, server.url);
  await page.evaluate(() => {
    const faults = '<img src="data:,"><p style="color: #999; background: #aaa">grey</p>';
    document.querySelector("main").insertAdjacentHTML("beforeend", faults);
  });
  const found = (await complaintsOfAxe(page)).map((complaint) => complaint.split(":")[0]);
  assert.deepEqual(found.sort(), ["color-contrast", "image-alt"]);
});

/** Every lesson, with what has to be on its stage before it is looked at. */
const LESSONS = {
  cgroups: "gantt",
  chroot: "sight",
  distributions: "family-tree",
  "image-layers": "layer-lanes",
  namespaces: "sight",
  "noisy-neighbour": "memory",
  "overcommit-steal": "steal-0",
  "server-per-app": "bill",
  "vm-weight": "weight-bare-metal",
};

for (const screen of Object.keys(SCREENS)) {
  for (const scheme of SCHEMES) {
    for (const language of LANGUAGES) {
      const name = `${screen}-${scheme}-${language}`;
      test(`axe finds nothing (${name})`, async () => {
        const page = await open(browser, { screen, scheme, language, reducedMotion: "reduce" });
        await visit(page, server.url);
        await look(page, `home-${name}`);
        await visitDuel(page, duelUrl(server.url, DUEL_MOMENT));
        await byId(page, "how").locator("summary").click();
        await look(page, `duel-${name}`);
        assert.deepEqual(page.complaints, []);
      });
      for (const [lesson, sign] of Object.entries(LESSONS)) {
        test(`axe finds nothing (${lesson}-${name})`, async () => {
          const page = await open(browser, { screen, scheme, language, reducedMotion: "reduce" });
          for (const beat of BEATS) {
            await visit(page, lessonUrl(server.url, beat, "&t=4200000000", lesson));
            await byId(page, sign).first().waitFor({ timeout: PATIENCE });
            await look(page, `${lesson}-${BEATS.indexOf(beat) + 1}-${beat}-${name}`);
          }
          assert.deepEqual(page.complaints, []);
        });
      }
    }
  }
}
