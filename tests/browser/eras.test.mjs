// The lessons `noisy-neighbour` and `vm-weight`: played with the keyboard alone, and what their stages show.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, press, settled, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

/** Opens a lesson from its card on the home page. */
async function enter(page, lesson) {
  await visit(page, site.url);
  await press(page, `card-${lesson}`);
  await byId(page, `lesson-${lesson}`).waitFor();
  await settled(page);
}

/** Whether the goal is met, as soon as the check has an answer. */
async function checked(page) {
  await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
  return byId(page, "goal-status").getAttribute("data-met");
}

for (const language of LANGUAGES) {
  test(`keyboard alone plays noisy-neighbour to its goal (${language})`, async () => {
    const page = await site.open({ language });
    await enter(page, "noisy-neighbour");
    const head = await headNs(page);
    await changed(() => headNs(page), head);
    await press(page, "beat-next");
    await press(page, "bet-who-0", "Space");
    await press(page, "bet-when", "ArrowLeft");
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    await byId(page, "bet-result").locator(".verdict.right").first().waitFor({ timeout: PATIENCE });
    await press(page, "beat-next");
    await press(page, "beat-next");
    assert.equal(await checked(page), "false", "the start does not meet the goal");
    await press(page, "control-shop", "ArrowDown");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    assert.equal(await changed(met, "false"), "true", "the shop alone on a server meets it");
    assert.deepEqual(page.complaints, []);
  });

  test(`keyboard alone plays vm-weight to its goal (${language})`, async () => {
    const page = await site.open({ language });
    await enter(page, "vm-weight");
    await press(page, "beat-next");
    await press(page, "bet-idle", "ArrowLeft");
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    await press(page, "beat-next");
    await press(page, "beat-next");
    assert.equal(await checked(page), "false", "the start does not meet the goal");
    await press(page, "control-apps", "End");
    await byId(page, "room-words").locator("xpath=self::*[contains(@class,'is-over')]").waitFor({ timeout: PATIENCE });
    assert.equal(await checked(page), "false", "as virtual machines they find no room");
    // The last platform but one is the container.
    await press(page, "control-platform", "ArrowDown");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    assert.equal(await changed(met, "false"), "true", "as containers they do");
    assert.deepEqual(page.complaints, []);
  });
}

test("memory shows who is killed, and why", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "why", "", "noisy-neighbour"));
  assert.equal(await byId(page, "memory").count(), 2, "a lane for each server");
  assert.match(await byId(page, "memory").first().locator("svg").getAttribute("aria-label"), /shop killed at/);
  const chain = byId(page, "why").locator("li");
  const words = await chain.allInnerTexts();
  for (const part of [/report takes .* more each second/, /asks for another page/, /weighs them: shop .*, report/, /kills shop/]) {
    assert.ok(words.some((text) => part.test(text)), `${part} in ${words.join("\n")}`);
  }
  await chain.filter({ hasText: "The kernel kills shop" }).locator("button").click();
  const dead = await page.locator(".stage .legend li").first().innerText();
  assert.match(dead, /killed/, "at that moment it is dead");
  assert.match(await byId(page, "moment").innerText(), /server 0: .*report/);
  await byId(page, "rewind").click();
  assert.doesNotMatch(await page.locator(".stage .legend li").first().innerText(), /killed/);
});

test("weights are shown on every platform", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "play", "", "vm-weight"));
  const bytes = async (platform) => {
    const lane = byId(page, `weight-${platform}`);
    await lane.waitFor({ timeout: PATIENCE });
    const widths = await lane.locator("rect.run").evaluateAll((all) => all.map((one) => Number(one.getAttribute("width"))));
    return widths.reduce((sum, width) => sum + width, 0);
  };
  const [vm, container] = [await bytes("vm"), await bytes("container")];
  assert.ok(vm > 50 * container, `${vm} px and ${container} px: to scale`);
  assert.equal(await byId(page, "start-vm").locator("rect.run").count(), 1, "the published boot is one stage");
  assert.ok((await byId(page, "start-container").locator("rect.run").count()) > 3);
  assert.equal(await byId(page, "emulated").count(), 0, "nothing is emulated in the model");
  assert.deepEqual(page.complaints, []);
});

test("emulation is called so", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "for-real", "", "vm-weight"));
  await byId(page, "recorded-show").click();
  await byId(page, "accelerators-differ").waitFor({ timeout: PATIENCE });
  await byId(page, "emulated").waitFor({ timeout: PATIENCE });
  assert.match(await byId(page, "start-vm").locator(".lane-name").innerText(), /TCG/);
  assert.match(await byId(page, "compared").innerText(), /emulation, not a hypervisor's speed/);
});

test("a recorded leak is drawn over the simulated one", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "for-real", "", "noisy-neighbour"));
  assert.equal(await byId(page, "memory").first().locator(".native-outline").count(), 0);
  await byId(page, "recorded-show").click();
  await byId(page, "compared").waitFor({ timeout: PATIENCE });
  assert.equal(await byId(page, "memory").first().locator(".native-outline").count(), 3, "an outline for each tenant");
});
