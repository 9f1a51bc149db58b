// The lessons `lxc-docker-rkt-podman` and `oci-cri`: a start as a chain of actors, with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, lessonUrl, PATIENCE, settled, tabTo, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

const standing = (page, name) =>
  byId(page, "process-tree").locator(`[data-process="${name}"]`).getAttribute("data-standing");
const met = (page) => byId(page, "goal-status").getAttribute("data-met");

/** From the front page into a lesson. */
async function enter(page, lesson) {
  await visit(page, site.url);
  await tabTo(page, `card-${lesson}`);
  await page.keyboard.press("Enter");
  await byId(page, `lesson-${lesson}`).waitFor();
  await settled(page);
}

/** Chooses by keyboard in the list with that id, as many further down. */
async function choose(page, id, down) {
  await tabTo(page, id);
  for (let at = 0; at < down; at += 1) await page.keyboard.press("ArrowDown");
}

for (const language of LANGUAGES) {
  test(`keyboard alone finds a runtime without root (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await enter(page, "lxc-docker-rkt-podman");
    await changed(() => standing(page, "runc"), "ahead");
    assert.deepEqual(
      [await standing(page, "dockerd"), await standing(page, "runc"), await standing(page, "program")],
      ["there", "gone", "there"],
      "without motion the end is shown",
    );
    await tabTo(page, "scrub");
    await page.keyboard.press("Home");
    await changed(() => standing(page, "program"), "there");
    assert.deepEqual([await standing(page, "docker"), await standing(page, "program")], ["acting", "ahead"]);
    await page.keyboard.press("End");
    await changed(() => headNs(page), 0);
    // dockerd comes first in the list: killed, then stopped.
    await choose(page, "end-one", 1);
    await changed(() => standing(page, "dockerd"), "there");
    assert.deepEqual([await standing(page, "dockerd"), await standing(page, "program")], ["gone", "there"]);
    await page.keyboard.press("ArrowDown");
    assert.equal(await changed(() => standing(page, "program"), "there"), "gone");
    assert.match(await byId(page, "ended").innerText(), language === "ko" ? /프로그램도 끝나요/ : /The program ends too/);

    await visit(page, lessonUrl(site.url, "goal", `&lang=${language}`, "lxc-docker-rkt-podman"));
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(page), "false");
    await choose(page, "control-podman", 1);
    await choose(page, "control-platform", 1);
    assert.equal(await changed(() => met(page), "false"), "true");
    assert.deepEqual(page.complaints, []);
  });
}

test("a runtime is swapped below the lower contract", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, lessonUrl(site.url, "goal", "", "oci-cri"));
  const steps = () => byId(page, "chain").locator(".actor-step").count();
  const contracts = () => byId(page, "chain").locator(".contract").count();
  await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
  assert.equal(await met(page), "false");
  const before = await steps();
  assert.equal(await contracts(), 2, "CRI and OCI");
  await choose(page, "control-kubernetes", 1);
  assert.equal(await changed(() => met(page), "false"), "true");
  assert.equal(await steps(), before - 1);
  assert.deepEqual(page.complaints, []);
});
