// "For real": a run started from the page on this machine, and a report that is dropped on it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { byId, lessonUrl, PATIENCE, visit } from "./support/page.mjs";
import { PROGRAM, serveForReal } from "./support/servers.mjs";
import { session } from "./support/session.mjs";

const isRoot = process.getuid() === 0;
const ROOT_ONLY = { skip: isRoot ? false : "limits are set by root: run the tests as root" };

const site = session(serveForReal);

/** What the page says of a native run beside the simulated one. */
async function comparison(page) {
  await byId(page, "compared").waitFor({ timeout: PATIENCE });
  const rows = await byId(page, "compared").locator("tbody tr").allInnerTexts();
  assert.ok(rows.length >= 3, `rows: ${rows}`);
  return rows.join("\n");
}

test("the page runs the scenario on this machine", ROOT_ONLY, async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "for-real"));
  assert.ok(!page.url().includes("token"), "the token is taken out of the address");
  await byId(page, "run-native").click();
  await page.locator(".run-progress progress").waitFor({ timeout: PATIENCE });
  assert.match(await comparison(page), /p50/);
  assert.deepEqual(page.complaints, []);
});

test("a run on this machine can be cancelled", ROOT_ONLY, async () => {
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "for-real"));
  await byId(page, "run-native").click();
  await byId(page, "run-cancel").click({ timeout: PATIENCE });
  await byId(page, "run-cancel").waitFor({ state: "detached", timeout: PATIENCE });
  assert.equal(await byId(page, "compared").count(), 0);
  assert.notEqual(await byId(page, "run-status").innerText(), "");
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

test("a dropped native report is drawn over the simulated one", ROOT_ONLY, async () => {
  const { stdout } = await promisify(execFile)(PROGRAM, ["--quiet", "run", "lesson:cgroups", "--json"]);
  const page = await site.open();
  await visit(page, lessonUrl(site.url, "for-real"));
  // The bars follow the play head, so only what a native report adds can be counted.
  const marks = byId(page, "histogram").locator(".native-mark");
  assert.equal(await marks.count(), 0);
  await drop(page, stdout);
  assert.match(await comparison(page), /p50/);
  assert.ok((await marks.count()) > 0, "the latencies are drawn over");
  await byId(page, "drop-remove").click();
  await byId(page, "compared").waitFor({ state: "detached" });
  assert.equal(await marks.count(), 0);
  assert.deepEqual(page.complaints, []);
});

for (const [what, text] of [
  ["not JSON", "not a report"],
  ["another document", '{"schema":"something/else"}'],
  ["no report at all", "[]"],
]) {
  test(`a dropped file that is ${what} is refused in words`, async () => {
    const page = await site.open();
    await visit(page, lessonUrl(site.url, "for-real"));
    await drop(page, text);
    await byId(page, "drop-problem").waitFor();
    assert.equal(await byId(page, "compared").count(), 0);
    assert.deepEqual(page.complaints, []);
  });
}
