// The lesson `server-per-app`: applications placed on servers with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, changed, headNs, PATIENCE, press, settled, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

/** A guess on a slider in steps of 2 %, from the least. */
async function guess(page, id, percent) {
  await press(page, id, "Home");
  for (let at = 0; at < percent; at += 2) await page.keyboard.press("ArrowRight");
}

for (const language of LANGUAGES) {
  test(`keyboard alone places six applications on two servers (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, site.url);
    await press(page, "card-server-per-app");
    await byId(page, "lesson-server-per-app").waitFor();
    await settled(page);
    await press(page, "scrub", "End");
    await changed(() => headNs(page), 0);
    const bought = () => page.locator('[data-testid^="server-"][data-bought="true"]').count();
    assert.equal(await bought(), 1);
    const bill = () => byId(page, "bill").innerText();
    const one = await bill();
    await press(page, "control-shop", "ArrowDown");
    assert.equal(await changed(bought, 1), 2);
    assert.notEqual(await changed(bill, one), one, "another server is paid for");
    assert.match(await byId(page, "moment").innerText(), language === "ko" ? /서버 1: shop/ : /server 1: shop/);
    await press(page, "undo");
    assert.equal(await changed(bought, 2), 1);

    await press(page, "beat-next");
    await guess(page, "bet-busy", 18);
    await guess(page, "bet-watts", 78);
    await press(page, "bet-place");
    await byId(page, "bet-result").waitFor();
    const won = () => document.querySelectorAll(".verdict.right").length === 2;
    await page.waitForFunction(won, undefined, { timeout: PATIENCE });
    await press(page, "beat-next");
    await press(page, "beat-next");
    const met = () => byId(page, "goal-status").getAttribute("data-met");
    await byId(page, "goal-status").locator("li").first().waitFor({ timeout: PATIENCE });
    assert.equal(await met(), "false");
    await press(page, "control-canteen", "ArrowDown");
    assert.equal(await met(), "false", "video and backup still meet at night");
    await press(page, "control-backup", "ArrowDown");
    assert.equal(await changed(met, "false"), "true");
    assert.deepEqual(page.complaints, []);
  });
}
