// "Why?" of a tenant: asked by keyboard, answered in the command line's words, its advice carried out.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, lessonUrl, PATIENCE, press, tabTo, visit } from "./support/page.mjs";
import { PROGRAM } from "./support/servers.mjs";
import { session } from "./support/session.mjs";

const site = session();

const squeezed = (text) => text.replace(/\s+/g, " ").trim();

/** What has the focus: its test id, or else its id. */
const focused = (page) =>
  page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.id);

/** The answers of the panel, each in one line. */
async function answers(page) {
  const found = await byId(page, "answers").locator(".answer").all();
  const paragraphs = (answer) => answer.locator("p:not(.fine)").allInnerTexts();
  return Promise.all(found.map(async (answer) => squeezed((await paragraphs(answer)).join(" "))));
}

for (const language of LANGUAGES) {
  test(`keyboard alone asks why and turns what is advised (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, lessonUrl(site.url, "play"));
    await press(page, "ask-0");
    assert.equal(await changed(() => focused(page), "ask-0"), "answers-title");
    const told = await answers(page);
    assert.ok(told.length >= 3, `${told}`);
    const args = ["sim", "lesson:cgroups", "--why", "--lang", language];
    const { stdout } = await promisify(execFile)(PROGRAM, args);
    for (const answer of told) assert.ok(squeezed(stdout).includes(answer), `not said by catamaran: ${answer}`);

    await press(page, "advice-burst");
    const burst = () => byId(page, "control-burst").inputValue();
    assert.equal(await changed(burst, "0"), "40");
    assert.equal(await focused(page), "answers-title", "the button is gone, the focus is not");
    await changed(async () => (await answers(page)).join(), told.join());
    await page.keyboard.press("Escape");
    assert.equal(await changed(() => focused(page), "answers-title"), "ask-0");
    assert.equal(await byId(page, "answers").count(), 0);
    assert.deepEqual(page.complaints, []);
  });

  test(`what the task forbids is said and not offered (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, lessonUrl(site.url, "play"));
    await press(page, "ask-0");
    await byId(page, "advice-limit").first().waitFor({ timeout: PATIENCE });
    await visit(page, lessonUrl(site.url, "goal"));
    await press(page, "ask-0");
    const against = byId(page, "advice-against").first();
    await against.waitFor({ timeout: PATIENCE });
    assert.match(await against.innerText(), language === "ko" ? /커지면 안 돼요/ : /must not be larger/);
    assert.equal(await byId(page, "advice-limit").count(), 0);
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    assert.equal(await met(), "false");
    await press(page, "advice-burst");
    assert.equal(await changed(met, "false"), "true", "the other advice meets the goal");
  });
}

test("where the bet is looked at, answers turn nothing", async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "run"));
  await press(page, "ask-0");
  await byId(page, "answers").locator(".answer").first().waitFor({ timeout: PATIENCE });
  assert.equal(await byId(page, "answers").locator(".advice button").count(), 0);
});

test("a tenant is moved to a server of its own where that is advised", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "goal", "", "noisy-neighbour"));
  await tabTo(page, "ask-0");
  await page.keyboard.press("Enter");
  await press(page, "advice-shop");
  assert.equal(await changed(() => byId(page, "control-shop").inputValue(), "0"), "1");
});
