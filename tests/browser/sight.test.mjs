// The lessons `chroot` and `namespaces`: who sees what, turned and solved with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, settled, tabTo, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

/** To an element by Tab alone, and Space on it. */
async function press(page, id, key = "Space") {
  await tabTo(page, id);
  await page.keyboard.press(key);
}

/** From the front page into a lesson, its play head at the end, where every program has started. */
async function enter(page, lesson) {
  await visit(page, site.url);
  await press(page, `card-${lesson}`, "Enter");
  await byId(page, `lesson-${lesson}`).waitFor();
  await settled(page);
  await tabTo(page, "scrub");
  await page.keyboard.press("End");
  await changed(() => headNs(page), 0);
}

/** How a program stands in another's panel: whether it is seen there, and can be reached. */
async function stands(page, who, whom) {
  const thing = byId(page, `sight-${who}`).locator(`.process [data-thing="${whom}"]`);
  return `${await thing.getAttribute("data-seen")} ${await thing.getAttribute("data-reach")}`;
}

const met = (page) => byId(page, "goal-status").getAttribute("data-met");

/** Places the bet on the second answer of each question, which is right, and goes on to the task. */
async function betAndGoOn(page, guesses) {
  await press(page, "beat-next", "Enter");
  for (const guess of guesses) {
    await tabTo(page, guess);
    await page.keyboard.press("ArrowDown");
  }
  await press(page, "bet-place", "Enter");
  await byId(page, "bet-result").waitFor();
  await settled(page);
  const right = byId(page, "bet-result").locator(".verdict.right");
  await changed(() => right.count(), 0);
  assert.equal(await right.count(), guesses.length, "the bet is won");
  await press(page, "beat-next", "Enter");
  await press(page, "beat-next", "Enter");
  await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
  assert.equal(await met(page), "false", "the start does not meet the goal");
}

for (const language of LANGUAGES) {
  test(`keyboard alone finds what leaks from a chroot (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await enter(page, "chroot");
    assert.equal(await stands(page, "app", "other"), "true true", "a chroot hides no process");
    const hidden = () => byId(page, "sight-app").locator('.file [data-seen="false"]').count();
    assert.ok((await hidden()) > 0, "but folders");
    await tabTo(page, "control-platform");
    await page.keyboard.press("ArrowDown");
    assert.equal(await changed(hidden, await hidden()), 0, "on bare metal none is hidden");
    await page.keyboard.press("ArrowUp");
    await changed(hidden, 0);

    await betAndGoOn(page, ["bet-ps-0", "bet-kill-0"]);
    for (const leak of ["processes", "network"]) await press(page, `find-${leak}`);
    assert.equal(await met(page), "false", "two of three");
    await press(page, "find-host-name");
    assert.equal(await changed(() => met(page), "false"), "true");
    assert.deepEqual(page.complaints, []);
  });

  test(`keyboard alone hides two programs from each other (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await enter(page, "namespaces");
    assert.equal(await stands(page, "red", "blue"), "true true");
    await press(page, "control-pid");
    const blue = () => stands(page, "red", "blue");
    assert.equal(await changed(blue, "true true"), "true false", "listed, out of reach");
    const spoken = await byId(page, "moment").innerText();
    assert.match(spoken, language === "ko" ? /[가-힣]/ : /red lists 3 of 3 processes and can kill 1/);
    await press(page, "undo", "Enter");
    assert.equal(await changed(blue, "true false"), "true true");

    await betAndGoOn(page, ["bet-pid-0", "bet-host-name-0"]);
    await press(page, "control-pid");
    assert.equal(await changed(blue, "true true"), "true false");
    assert.equal(await met(page), "false", "numbers alone are not enough");
    await press(page, "control-mount");
    assert.equal(await changed(() => met(page), "false"), "true", "the solution meets it");
    assert.equal(await blue(), "false false");
    assert.equal(await byId(page, "control-pid").isChecked(), true);
    // The switches are in the link as soon as it has followed.
    await changed(async () => page.url().includes("unshare"), false);
    assert.deepEqual(page.complaints, []);
  });
}

for (const lesson of ["chroot", "namespaces"]) {
  test(`a recorded run is laid over what is seen (${lesson})`, async () => {
    const page = await site.open();
    await visit(page, lessonUrl(site.url, "for-real", "", lesson));
    await byId(page, "recorded").waitFor();
    assert.match(await byId(page, "recorded").innerText(), /recorded on 20\d\d-\d\d-\d\d: .+, Linux \d/);
    await byId(page, "recorded-show").click();
    await byId(page, "seen").waitFor();
    assert.match(await byId(page, "seen-summary").innerText(), /agree in 22 of 22 rows/);
    assert.equal(await byId(page, "seen").locator("tbody tr").count(), 22);
    await byId(page, "drop-remove").click();
    await byId(page, "seen").waitFor({ state: "detached" });
    assert.deepEqual(page.complaints, []);
  });
}
