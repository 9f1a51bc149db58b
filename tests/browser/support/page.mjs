// What people do on the page, in the words of the page. Elements are found by `data-testid` (web/README.md).
import assert from "node:assert/strict";

/** Longest wait for something that a loaded machine may take its time for, ms. */
export const PATIENCE = 60_000;

export const BEATS = ["play", "bet", "run", "why", "goal", "for-real", "debrief"];

export const byId = (page, id) => page.getByTestId(id);

let loads = 0;

/**
 * Loads the address afresh, also where it differs from what is open after `#` only: then under another query, which no
 * server of the page looks at. Not by way of about:blank: Chromium fetches a page's icon some time after the page, and where
 * that has just become a blank one it does so for nobody's origin, refuses, and complains on the console.
 */
async function load(page, url) {
  if (page.url() === "about:blank") {
    await page.goto(url);
    return;
  }
  loads += 1;
  const fresh = new URL(url);
  fresh.search = `?load=${loads}`;
  await page.goto(fresh.href);
}

/** Opens the address and waits for the picture of the first simulation. */
export async function visit(page, url) {
  await load(page, url);
  await settled(page);
}

/** From one beat of an open lesson to another, as people go: with the buttons above it. */
export async function turnTo(page, beat) {
  await byId(page, `beat-${beat}`).click();
  await page.locator(`[data-testid="beat-${beat}"][aria-current="step"]`).waitFor();
  await settled(page);
}

/** Puts the play head there, ns, or to the end where that is earlier. */
export async function placeHead(page, ns) {
  const end = Number(await byId(page, "scrub").getAttribute("max"));
  if (end < ns) await byId(page, "scrub").press("End");
  else await byId(page, "scrub").fill(String(ns));
}

/** Waits until the picture shows what was asked for. */
export async function settled(page) {
  const pictures = [".lanes", ".sight", ".actors"].map((picture) => `.stage[aria-busy="false"] ${picture}`);
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
  await load(page, url);
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

/** The address of one of the twelve calls, from 1. */
export const callsUrl = (server, call) => `${server.split("#")[0]}#/container?beat=${call}`;

/** Opens the page of the twelve calls. */
export async function visitCalls(page, url) {
  await load(page, url);
  await byId(page, "container").waitFor({ timeout: PATIENCE });
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
