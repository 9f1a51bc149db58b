// The lesson `distributions`: whose kernel it is, the years of the family, and the choice of a base, by keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, press, settled, tabTo, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

/** Chooses the base whose name begins so, as people do it in a list: by typing. */
async function choose(page, pick, name) {
  await tabTo(page, `pick-${pick}`);
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
}

for (const language of LANGUAGES) {
  test(`keyboard alone chooses a base for each need (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, site.url);
    await press(page, "card-distributions");
    await byId(page, "lesson-distributions").waitFor();
    await settled(page);
    const own = () => byId(page, "kernel-of-alma").getAttribute("data-own");
    assert.equal(await own(), "false", "a container has the host's kernel");
    await press(page, "control-platform", "ArrowDown");
    assert.equal(await changed(own, "false"), "true", "a guest has its own");
    await press(page, "undo");
    assert.equal(await changed(own, "true"), "false");

    const there = () => byId(page, "family-tree").locator('[data-there="true"]').count();
    await press(page, "scrub", "Home");
    await changed(() => headNs(page), 10_000_000_000);
    const few = await there();
    await page.keyboard.press("End");
    assert.equal(await changed(there, few), 10, "at the end all are there");
    assert.match(await byId(page, "scrub").getAttribute("aria-valuetext"), /^20\d\d-\d\d$/);

    await press(page, "beat-next");
    for (const guess of ["bet-kernel-0", "bet-stream-0"]) await press(page, guess, "ArrowDown");
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    const won = () => document.querySelectorAll(".verdict.right").length === 2;
    await page.waitForFunction(won, undefined, { timeout: PATIENCE });
    await press(page, "beat-next");
    await press(page, "beat-next");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(), "false");
    await choose(page, "ten-years", "RHEL");
    await choose(page, "smallest", "Alp");
    await choose(page, "glibc", "Deb");
    assert.equal(await met(), "false", "RHEL needs a contract");
    await choose(page, "ten-years", "Alma");
    assert.equal(await changed(met, "false"), "true");
    assert.deepEqual(page.complaints, []);
  });
}

test("the table says what is unknown and where each row is from", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "goal", "", "distributions"));
  const rows = byId(page, "family-table").locator("tbody tr");
  assert.equal(await rows.count(), 10);
  for (const row of await rows.all()) assert.match(await row.locator("td").last().innerText(), /EOL|TL-|ARCH/);
  assert.match(await rows.filter({ hasText: "Fedora" }).first().innerText(), /unknown/);
});

test("a recorded run shows the host's kernel in containers", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "for-real", "", "distributions"));
  await byId(page, "recorded-show").click();
  await byId(page, "seen").waitFor();
  assert.match(await byId(page, "seen-summary").innerText(), /agree in 22 of 22 rows/);
  assert.deepEqual(page.complaints, []);
});
