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

/** Which program each lesson's recorded platform was started by, and a step that the model has no length for. */
const RECORDED = {
  "lxc-docker-rkt-podman": { platform: "docker", rows: 4, version: /Docker version \d.+ with runc version \d/, missing: "rkt", step: "shim" },
  "oci-cri": { platform: "containerd", rows: 6, version: /containerd.* \d+\.\d+/, missing: "kubernetes", step: "shim" },
};

for (const [lesson, { platform, rows, version, missing, step }] of Object.entries(RECORDED)) {
  test(`recorded starts are laid over the chain (${lesson})`, async () => {
    const page = await site.open();
    await visit(page, lessonUrl(site.url, "for-real", "", lesson));
    await byId(page, "recorded").waitFor();
    assert.match(await byId(page, "recorded").innerText(), /recorded on 20\d\d-\d\d-\d\d: .+, Linux \d/);
    const starts = byId(page, "recorded-starts").locator("tbody tr");
    assert.equal(await starts.count(), rows);
    assert.match(await starts.filter({ hasText: new RegExp(`^${platform}`) }).innerText(), version);
    assert.match(await byId(page, "recorded-missing").innerText(), new RegExp(`Simulated only.*${missing}`));
    await byId(page, "recorded-show").click();
    // A lesson that begins on a platform without a recorded run offers one that has it.
    if (missing === "kubernetes") await byId(page, "drop-fit").click();
    await byId(page, "measured-start").waitFor();
    assert.match(await byId(page, "measured-start").innerText(), /Measured once on 20\d\d/);
    const row = byId(page, "chain").locator(`[data-step="${step}"]`);
    assert.match(await row.locator(".actor-length").innerText(), /–/, "the model does not know");
    assert.match(await row.locator(".actor-measured").innerText(), /\d\s(µs|ms)/);
    await byId(page, "drop-remove").click();
    await byId(page, "measured-start").waitFor({ state: "detached" });
    assert.equal(await page.locator(".actor-measured").count(), 0);
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
