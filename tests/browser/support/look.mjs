// Looks at a page as axe does, and leaves a picture of it for people.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

import { SCREENSHOTS } from "./servers.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds, a line each. All its rules are asked; only what they are content with is not described one by one. */
export async function complaintsOfAxe(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target}`));
}

/** Takes a picture, and expects that nothing is wider than the screen and that axe finds nothing. */
export async function look(page, name) {
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  assert.ok(overhang <= 0, `${name} is ${overhang} px wider than the screen`);
  assert.deepEqual(await complaintsOfAxe(page), [], name);
}
