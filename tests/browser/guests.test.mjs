// The lesson `overcommit-steal`: guests on one core, turned and solved with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, press, settled, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

const bars = (page) => page.locator('[data-testid^="steal-"]').count();
const stolen = async (page, guest) => Number(await byId(page, `steal-${guest}`).getAttribute("data-stolen"));

for (const language of LANGUAGES) {
  test(`keyboard alone sells a core eight times (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, site.url);
    await press(page, "card-overcommit-steal");
    await byId(page, "lesson-overcommit-steal").waitFor();
    await settled(page);
    await press(page, "scrub", "End");
    await changed(() => headNs(page), 0);
    assert.equal(await bars(page), 2);
    assert.ok((await stolen(page, 0)) > 0.25, "two half-busy guests lose time");
    assert.match(await byId(page, "moment").innerText(), language === "ko" ? /빼앗긴 시간/ : /guest: ran .+, stolen /);
    await press(page, "control-guests", "Home");
    assert.equal(await changed(() => bars(page), 2), 1);
    await settled(page);
    assert.equal(await stolen(page, 0), 0, "alone nothing is stolen");
    await press(page, "undo");
    assert.equal(await changed(() => bars(page), 1), 2);

    await press(page, "beat-next");
    await press(page, "bet-steal", "Home");
    for (let steps = 0; steps < 15; steps += 1) await page.keyboard.press("ArrowRight");
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    // 75 % stolen and, where the slider stands, half answered.
    const won = () => document.querySelectorAll(".verdict.right").length === 2;
    await page.waitForFunction(won, undefined, { timeout: PATIENCE });
    await press(page, "beat-next");
    await byId(page, "why").locator("li").first().waitFor({ timeout: PATIENCE });
    await press(page, "beat-next");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(), "false", "the start does not meet the goal");
    await press(page, "control-guests", "End");
    await press(page, "control-work", "Home");
    assert.equal(await changed(met, "false"), "true", "eight guests with 50/s of 1 ms");
    assert.match(await byId(page, "goal-status").innerText(), /2\.\d\s%/, "the share is told");
    assert.deepEqual(page.complaints, []);
  });
}

test("a recorded run of emulated guests is told to be one", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "for-real", "", "overcommit-steal"));
  await byId(page, "recorded-show").click();
  await byId(page, "compared").waitFor();
  assert.equal(await byId(page, "accelerators-differ").count(), 1);
  assert.match(await byId(page, "steal-1").innerText(), /measured in the whole run: stolen 3\d\.\d.%/);
  assert.deepEqual(page.complaints, []);
});
