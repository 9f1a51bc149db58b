// The era duel: three panes under one play head, played with the keyboard alone, turned, linked, scored.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, duelSettled, duelUrl, headNs, settled, tabTo, visit, visitDuel } from "./support/page.mjs";
import { PROGRAM, serveFiles } from "./support/servers.mjs";
import { session } from "./support/session.mjs";

const SCENARIO = fileURLToPath(new URL("../../web/scenarios/era-duel.toml", import.meta.url));
const PANES = ["pane-bare-metal", "pane-vm", "pane-container"];

const site = session();

/** What is drawn of the cores of each era. */
const pictures = (page) =>
  Promise.all(PANES.map((pane) => byId(byId(page, pane), "gantt").innerHTML()));

/** The table, row by row. */
const score = (page) => byId(page, "score").locator("tbody tr").allInnerTexts();

for (const language of LANGUAGES) {
  test(`keyboard alone plays the duel (${language})`, async () => {
    const page = await site.open({ language });
    await visit(page, site.url);
    await tabTo(page, "open-duel");
    await page.keyboard.press("Enter");
    await duelSettled(page);
    assert.equal(await page.locator("html").getAttribute("lang"), language);
    await changed(() => headNs(page), 0);

    await tabTo(page, "scrub");
    await page.keyboard.press("Space");
    await byId(page, "play").waitFor();
    const stopped = await headNs(page);
    const before = await pictures(page);
    await page.keyboard.press("PageDown");
    assert.ok((await changed(() => headNs(page), stopped)) > stopped, "a window forward");
    const moved = await pictures(page);
    assert.ok(moved.every((picture, era) => picture !== before[era]), "all three panes move");
    await page.keyboard.press("Home");
    await changed(async () => (await headNs(page)) === 0, false);
    await page.keyboard.press("ArrowRight");
    assert.ok((await changed(() => headNs(page), 0)) > 0, "a step goes forward");
    assert.deepEqual(page.complaints, []);
  });
}

test("a guest still boots while containers serve", async () => {
  const page = await site.open();
  await visitDuel(page, duelUrl(site.url, "t=150000000&v=0&w=500000000"));
  const [bareMetal, vm, container] = await byId(page, "moment").locator(".era-moment").allInnerTexts();
  assert.match(vm, /still starting \(boot, by the hypervisor\)/);
  assert.match(bareMetal, /core 0: (app|batch)/);
  assert.match(container, /core 0/);
  assert.match(await byId(page, "accelerator").innerText(), /KVM.*published/);
  await byId(page, "scrub").fill("1000000000");
  const later = () => byId(page, "moment").locator(".era-moment").nth(1).innerText();
  assert.match(await changed(later, vm), /core 0/, "then it serves");
  assert.equal(await byId(page, "guest-lanes").count(), 1);
});

test("every figure of the score is there with its row", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visitDuel(page, duelUrl(site.url));
  assert.equal(await byId(page, "score").locator("tbody tr").count(), 7);
  assert.equal(await byId(page, "score").locator(".unknown").count(), 0);
  const crash = await byId(page, "score").locator("tbody tr").nth(5).locator("strong").allInnerTexts();
  assert.deepEqual(crash, ["3 of 3", "1 of 3", "3 of 3"]);
  assert.equal(await headNs(page), 0, "nothing moves by itself");
});

test("controls of the duel change what they are about", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visitDuel(page, duelUrl(site.url));
  const row = async (number) => {
    await duelSettled(page);
    return byId(page, "score").locator("tbody tr").nth(number).innerText();
  };
  const [latency, leak] = [await row(1), await row(4)];
  await byId(page, "control-limit").selectOption("64MiB");
  await changed(() => row(4), leak);
  assert.equal(await row(1), latency, "the limit is for the leak only");
  await byId(page, "control-rate").fill("150");
  await changed(() => row(1), latency);
  await byId(page, "control-apps").fill("3");
  await changed(async () => (await row(5)).includes("4 of 4"), false);
  await byId(page, "reset").click();
  await changed(async () => (await row(1)) === latency && (await row(4)) === leak, false);
  assert.deepEqual(page.complaints, []);
});

test("a link restores the duel", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visitDuel(page, duelUrl(site.url));
  await byId(page, "control-threads").fill("6");
  await byId(page, "control-limit").selectOption("256MiB");
  await byId(page, "control-seed").fill("11");
  await byId(page, "control-seed").press("Tab");
  await byId(page, "lang-ko").click();
  await byId(page, "theme").selectOption("dark");
  await duelSettled(page);
  await byId(page, "scrub").fill("2345678000");
  const [head, drawn, table] = [await headNs(page), await pictures(page), await score(page)];
  await changed(() => page.evaluate(() => /t=2345678000/.test(location.hash)), false);

  const other = await site.open({ reducedMotion: "reduce" });
  await visitDuel(other, page.url());
  assert.equal(await byId(other, "control-threads").inputValue(), "6");
  assert.equal(await byId(other, "control-limit").inputValue(), "256MiB");
  assert.equal(await byId(other, "control-seed").inputValue(), "11");
  assert.equal(await headNs(other), head);
  assert.deepEqual(await pictures(other), drawn, "the same pictures");
  assert.deepEqual(await score(other), table, "the same score");
  assert.equal(await other.locator("html").getAttribute("lang"), "ko");
  assert.equal(await other.locator("html").getAttribute("data-theme"), "dark");
  assert.match(await other.locator("h1").innerText(), /[가-힣]/);
});

/** Drops a file of this text on the field for reports. */
async function drop(page, text) {
  const transfer = await page.evaluateHandle((body) => {
    const data = new DataTransfer();
    data.items.add(new File([body], "report.json", { type: "application/json" }));
    return data;
  }, text);
  await byId(page, "drop").dispatchEvent("drop", { dataTransfer: transfer });
}

test("reports dropped on the duel are laid over their eras", async () => {
  // The command line's own simulation, passed off as a native run: the same scenario file, and nothing that waits for a clock.
  const { stdout } = await promisify(execFile)(PROGRAM, ["--quiet", "sim", SCENARIO, "--json"]);
  const page = await site.open({ reducedMotion: "reduce" });
  await visitDuel(page, duelUrl(site.url));
  await drop(page, stdout);
  await byId(page, "drop-problem").waitFor();
  assert.equal(await byId(page, "compared").count(), 0, "a simulation is no native run");

  await drop(page, stdout.replaceAll('"backend": "simulated"', '"backend": "native"'));
  await byId(page, "compared").waitFor();
  const rows = () => byId(page, "compared").innerText();
  const first = await rows();
  await byId(page, "compared-vm").click();
  assert.notEqual(await changed(rows, first), first, "another era");
  await byId(page, "control-rate").fill("60");
  await byId(page, "drop-problem").waitFor();
  assert.equal(await byId(page, "compared").count(), 0, "of other settings");
  assert.deepEqual(page.complaints, []);
});

test("the duel works offline after a visit to the home page", async () => {
  const files = await serveFiles();
  const page = await site.open();
  await visit(page, files.url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await files.stop();
  await page.reload();
  await settled(page);
  await byId(page, "open-duel").click();
  await duelSettled(page);
});
