// The lesson `cgroups`: played with the keyboard alone, turned, linked.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, settled, tabTo, visit } from "./support/page.mjs";
import { serveFiles } from "./support/servers.mjs";
import { session } from "./support/session.mjs";

const site = session();

/** From the open beat to the next, by keyboard. */
async function goOn(page) {
  await tabTo(page, "beat-next");
  await page.keyboard.press("Enter");
}

for (const language of LANGUAGES) {
  test(`keyboard alone plays the lesson to its goal (${language})`, async () => {
    const page = await site.open({ language });
    await visit(page, site.url);
    await tabTo(page, "card-cgroups");
    await page.keyboard.press("Enter");
    await byId(page, "lesson-cgroups").waitFor();
    await settled(page);
    assert.equal(await page.locator("html").getAttribute("lang"), language);

    await tabTo(page, "scrub");
    await page.keyboard.press("Space");
    await changed(() => headNs(page), 0);
    await page.keyboard.press("Space");
    const stopped = await headNs(page);
    await page.keyboard.press("ArrowRight");
    assert.ok((await changed(() => headNs(page), stopped)) > stopped, "a step goes forward");
    await page.keyboard.press("Home");
    await changed(() => headNs(page), await headNs(page) || -1);
    assert.equal(await headNs(page), 0);

    await goOn(page);
    await tabTo(page, "bet-running");
    await page.keyboard.press("ArrowLeft");
    await tabTo(page, "bet-place");
    await page.keyboard.press("Enter");
    await byId(page, "bet-result").waitFor();
    await goOn(page);
    await goOn(page);
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(), "false", "the start does not meet the goal");
    await tabTo(page, "control-burst");
    await page.keyboard.press("End");
    assert.equal(await changed(met, "false"), "true", "the solution meets it");
    assert.deepEqual(page.complaints, []);
  });
}

test("live controls change the p99", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "goal"));
  const p99 = () => byId(page, "goal-status").locator("li strong").first().innerText();
  await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
  const start = await p99();
  await byId(page, "control-period").fill("20");
  const turned = await changed(p99, start);
  await byId(page, "undo").click();
  await changed(p99, turned);
  assert.equal(await p99(), start, "undone, it is as before");
});

test("a link restores the state", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "goal"));
  await byId(page, "control-period").fill("50");
  await changed(() => page.evaluate(() => location.hash.includes("period=50ms") || location.hash.includes("period%3D50ms")), false);
  assert.equal(await byId(page, "pause").count(), 1, "also while it plays");
  await byId(page, "control-seed").fill("11");
  await byId(page, "control-seed").press("Tab");
  await byId(page, "lang-ko").click();
  await byId(page, "theme").selectOption("dark");
  await settled(page);
  await byId(page, "pause").click();
  await byId(page, "scrub").fill("1234567000");
  const head = await headNs(page);
  const picture = await byId(page, "gantt").innerHTML();
  await changed(() => page.evaluate(() => /t=1234567000/.test(location.hash)), false);

  const other = await site.open();
  await visit(other, page.url());
  assert.equal(await byId(other, "control-period").inputValue(), "50");
  assert.equal(await byId(other, "control-seed").inputValue(), "11");
  assert.equal(await headNs(other), head);
  assert.equal(await byId(other, "gantt").innerHTML(), picture, "the same picture");
  assert.equal(await other.locator("html").getAttribute("lang"), "ko");
  assert.equal(await other.locator("html").getAttribute("data-theme"), "dark");
  assert.match(await other.locator(".beat h2").innerText(), /[가-힣]/);
});

test("the page works offline after the first visit", async () => {
  const files = await serveFiles();
  const page = await site.open();
  await visit(page, files.url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await files.stop();
  await page.reload();
  await settled(page);
  await byId(page, "card-cgroups").click();
  await byId(page, "lesson-cgroups").waitFor();
  await settled(page);
});
