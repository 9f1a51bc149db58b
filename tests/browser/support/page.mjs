// What people do on the page, in the words of the page. Elements are found by `data-testid` (web/README.md).
import assert from "node:assert/strict";

/** Longest wait for something that a loaded machine may take its time for, ms. */
export const PATIENCE = 60_000;

export const BEATS = ["play", "bet", "run", "why", "goal", "for-real", "debrief"];

export const byId = (page, id) => page.getByTestId(id);

/** Opens the address and waits for the picture of the first simulation. */
export async function visit(page, url) {
  // From another document, so that an address that differs after `#` only is loaded afresh too.
  await page.goto("about:blank");
  await page.goto(url);
  await settled(page);
}

/** Waits until the picture shows what was asked for. */
export async function settled(page) {
  const pictures = [".lanes", ".sight"].map((picture) => `.stage[aria-busy="false"] ${picture}`);
  await page.locator(pictures.join(", ")).first().waitFor({ timeout: PATIENCE });
}

/** The address of a lesson's beat on a server, whose own URL may carry a token. */
export function lessonUrl(server, beat, more = "", lesson = "cgroups") {
  const [base, hash] = server.split("#");
  const number = BEATS.indexOf(beat) + 1;
  assert.ok(number > 0, `no beat ${beat}`);
  const token = hash ? `&${hash}` : "";
  return `${base}#/lesson/${lesson}?beat=${number}${more}${token}`;
}

/** Opens the duel and waits for its pictures and its score. */
export async function visitDuel(page, url) {
  await page.goto("about:blank");
  await page.goto(url);
  await duelSettled(page);
}

/** Waits until every era of the duel shows what was asked for. */
export async function duelSettled(page) {
  const done = () => {
    const duel = document.querySelector('[data-testid="duel"][aria-busy="false"]');
    const drawn = duel?.querySelectorAll('.pane [data-testid="gantt"]').length === 3;
    return drawn && duel.querySelector(".score td") !== null && duel.querySelector(".score .pending") === null;
  };
  await page.waitForFunction(done, undefined, { timeout: PATIENCE });
}

/** The address of the duel on a server of plain files. */
export const duelUrl = (server, query = "") => `${server}#/duel${query && `?${query}`}`;

/** Moves the focus with the Tab key alone until it is on the element with this test id. */
export async function tabTo(page, id) {
  const seen = [];
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.dataset.testid ?? "");
    if (focused === id) return;
    seen.push(focused || "-");
  }
  assert.fail(`the Tab key never reaches ${id}; it went ${seen.join(" ")}`);
}

/** Moves the focus to an element with the Tab key alone and presses a key on it. */
export async function press(page, id, key = "Enter") {
  await tabTo(page, id);
  await page.keyboard.press(key);
}

/** The position of the play head, ns. */
export const headNs = async (page) => Number(await byId(page, "scrub").inputValue());

/** A value that changes, as soon as it differs from `before`. */
export async function changed(read, before) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const now = await read();
    if (now !== before) return now;
    assert.ok(Date.now() < until, `still ${before}`);
    await new Promise((wait) => setTimeout(wait, 50));
  }
}
