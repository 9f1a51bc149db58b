// What every page looks like on a desktop, and that axe would say so if it were bad.
import assert from "node:assert/strict";
import { test } from "node:test";

import { complaintsOfAxe } from "./support/look.mjs";
import { looks } from "./support/looks.mjs";
import { visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

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

looks(site, "desktop");
