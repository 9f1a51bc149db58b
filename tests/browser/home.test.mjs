// The home page says what this is, and moves.
import assert from "node:assert/strict";
import { test } from "node:test";

import { byId, changed, headNs, settled, visit } from "./support/page.mjs";
import { session } from "./support/session.mjs";

const site = session();

test("home moves within five seconds", async () => {
  const page = await site.open();
  const begun = Date.now();
  await page.goto(site.url);
  await settled(page);
  const [head, picture] = [await headNs(page), await byId(page, "gantt").innerHTML()];
  await changed(() => headNs(page), head);
  await changed(() => byId(page, "gantt").innerHTML(), picture);
  const took = Date.now() - begun;
  assert.ok(took < 5000, `it took ${took} ms`);
  assert.deepEqual(page.complaints, []);
});

test("home stands still where less motion is wanted", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  await visit(page, site.url);
  assert.equal(await byId(page, "play").count(), 1, "it is not playing");
  assert.equal(await headNs(page), 0);
});

test("home's limit changes the p99", async () => {
  const page = await site.open();
  await visit(page, site.url);
  const p99 = () => page.locator(".facts dd").first().innerText();
  const limited = await changed(p99, "…");
  await byId(page, "home-limit-2").click();
  const free = await changed(p99, limited);
  assert.ok(parseFloat(free) > 0, free);
  assert.deepEqual(page.complaints, []);
});

test("text can be read before the simulator is there", async () => {
  const page = await site.open();
  await page.route(/\.wasm$/, (route) => route.abort());
  await page.goto(site.url);
  assert.match(await page.locator("#app").innerText(), /Share a machine/);
  await page.locator("#load-failure").waitFor();
});

test("both languages and both colour schemes can be chosen and are kept", async () => {
  const page = await site.open();
  await visit(page, site.url);
  await byId(page, "lang-ko").click();
  await byId(page, "theme").selectOption("dark");
  await page.reload();
  await settled(page);
  const root = page.locator("html");
  assert.equal(await root.getAttribute("lang"), "ko");
  assert.equal(await root.getAttribute("data-theme"), "dark");
  assert.match(await page.locator("h1").innerText(), /[가-힣]/);
});
