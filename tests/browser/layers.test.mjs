// The lesson `image-layers`: build steps put into order with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, press, settled, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

const order = (page) => byId(page, "control-steps").getAttribute("data-value");
const coming = (page) => byId(page, "pile-shop").locator('[data-comes="true"]').count();

for (const language of LANGUAGES) {
  test(`keyboard alone puts the build steps into order (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, site.url);
    await press(page, "card-image-layers");
    await byId(page, "lesson-image-layers").waitFor();
    await settled(page);
    assert.equal(await coming(page), 3, "the program and all above it");
    await press(page, "scrub", "End");
    await changed(() => headNs(page), 0);
    assert.match(await byId(page, "moment").innerText(), language === "ko" ? /이미 있음/ : /base: 50.MB, there already/);
    await press(page, "control-steps-down-source");
    assert.equal(await changed(() => order(page), "source-tools-deps"), "tools-source-deps");
    assert.equal(await changed(() => coming(page), 3), 2);
    await press(page, "undo");
    assert.equal(await changed(() => order(page), "tools-source-deps"), "source-tools-deps");

    await press(page, "beat-next");
    await press(page, "bet-megabytes", "Home");
    for (let at = 0; at < 30; at += 5) await page.keyboard.press("ArrowRight");
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    await changed(() => byId(page, "bet-result").locator(".verdict.right").count(), 0);
    await press(page, "beat-next");
    await press(page, "beat-next");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(), "false");
    for (let step = 0; step < 2; step += 1) await press(page, "control-steps-down-source");
    assert.equal(await changed(met, "false"), "true");
    assert.deepEqual(page.complaints, []);
  });
}

test("a step can be dragged to another place", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "goal", "", "image-layers"));
  const steps = byId(page, "control-steps").locator("li");
  await steps.first().dragTo(steps.last());
  assert.equal(await changed(() => order(page), "source-tools-deps"), "tools-deps-source");
});
