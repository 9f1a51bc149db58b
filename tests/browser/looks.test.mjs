// Every page on desktop and phone, light and dark, English and Korean: axe finds nothing, nothing is wider than the screen,
// and a screenshot is left in target/screenshots for people to look at.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES, SCHEMES, SCREENS } from "./support/chromium.mjs";
import { complaintsOfAxe, look } from "./support/look.mjs";
import { BEATS, byId, duelUrl, lessonUrl, PATIENCE, visit, visitDuel } from "./support/page.mjs";
import { session } from "./support/session.mjs";

/** Guests have just booted. */
const DUEL_MOMENT = "t=600000000&v=200000000&w=500000000";

const site = session();

test("axe would find a picture without words and grey on grey", async () => {
  const page = await site.open();
  await visit(page, site.url);
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
        const page = await site.open({ screen, scheme, language, reducedMotion: "reduce" });
        await visit(page, site.url);
        await look(page, `home-${name}`);
        await visitDuel(page, duelUrl(site.url, DUEL_MOMENT));
        await byId(page, "how").locator("summary").click();
        await look(page, `duel-${name}`);
        assert.deepEqual(page.complaints, []);
      });
      for (const [lesson, sign] of Object.entries(LESSONS)) {
        test(`axe finds nothing (${lesson}-${name})`, async () => {
          const page = await site.open({ screen, scheme, language, reducedMotion: "reduce" });
          for (const beat of BEATS) {
            await visit(page, lessonUrl(site.url, beat, "&t=4200000000", lesson));
            await byId(page, sign).first().waitFor({ timeout: PATIENCE });
            // Where causes are told, the picture is asked too.
            if (beat === "why") await page.locator(".ask").first().click();
            await look(page, `${lesson}-${BEATS.indexOf(beat) + 1}-${beat}-${name}`);
          }
          assert.deepEqual(page.complaints, []);
        });
      }
    }
  }
}
