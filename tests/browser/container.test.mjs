// A container in twelve system calls: walked through with the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES } from "./support/chromium.mjs";
import { byId, callsUrl, changed, press, visit, visitCalls } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

const now = (page) => page.locator('.call[aria-current="step"] code').innerText();
const row = (page, name) => byId(page, "matrix").locator(`[data-row="${name}"]`);
const sees = (page, name) => row(page, name).getAttribute("data-sees");

for (const language of LANGUAGES) {
  test(`keyboard alone walks through the twelve calls (${language})`, async () => {
    const page = await site.open({ language, reducedMotion: "reduce" });
    await visit(page, site.url);
    await press(page, "open-container");
    await byId(page, "container").waitFor();
    assert.equal(await page.locator(".call").count(), 12);
    assert.equal(await sees(page, "pid"), "the machine's", "nothing has changed yet");
    await press(page, "call-next");
    assert.equal(await changed(() => now(page), "mkdirat"), "clone3");
    assert.deepEqual([await sees(page, "pid"), await sees(page, "mount")], ["its own only", "part of the machine's"]);
    assert.equal(await row(page, "pid").getAttribute("data-changes"), "true");
    for (let at = 0; at < 12 && (await now(page)) !== "pivot_root"; at += 1) {
      const before = await now(page);
      await page.keyboard.press("ArrowRight");
      await changed(() => now(page), before);
    }
    assert.deepEqual([await sees(page, "mount"), await sees(page, "process")], ["its own only", "its own only"]);
    assert.equal(await sees(page, "kernel"), "the machine's", "no call changes the kernel");
    await page.keyboard.press("End");
    assert.equal(await changed(() => now(page), "pivot_root"), "execve");
    assert.deepEqual(page.complaints, []);
  });
}

test("a link opens the call that it names", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visitCalls(page, callsUrl(site.url, 2));
  assert.equal(await now(page), "clone3");
  assert.match(page.url(), /#\/container\?beat=2/);
});
