// The home page, the duel and every lesson on one screen, light and dark, English and Korean: axe finds nothing,
// nothing is wider than the screen, and a screenshot is left in target/screenshots for people to look at.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LANGUAGES, SCHEMES, SCREENS } from "./chromium.mjs";
import { look } from "./look.mjs";
import { BEATS, byId, callsUrl, duelUrl, lessonUrl, PATIENCE, placeHead, turnTo, visit, visitCalls, visitDuel } from "./page.mjs";

/** Guests have just booted. */
const DUEL_MOMENT = "t=600000000&v=200000000&w=500000000";

/** Where the play head of lessons is, ns. */
const LESSON_MOMENT = 4_200_000_000;

/** Every lesson, with what has to be on its stage before it is looked at. */
const LESSONS = {
  cgroups: "gantt",
  chroot: "sight",
  distributions: "family-tree",
  "image-layers": "layer-lanes",
  "lxc-docker-rkt-podman": "process-tree",
  namespaces: "sight",
  "noisy-neighbour": "memory",
  "oci-cri": "process-tree",
  "overcommit-steal": "steal-0",
  "server-per-app": "bill",
  "vm-weight": "weight-bare-metal",
};

/**
 * The beats that a variant looks at, the one first that it opens by its link. Every page is looked at in all eight variants, and a
 * beat in four, among which every screen, scheme and language meets every other (an orthogonal array of strength two: those whose
 * number has as many odd digits in base two as the beat's, modulo 2). Each beat is opened by its link in one at least.
 */
function beatsOf(number) {
  const ones = [...number.toString(2)].filter((digit) => digit === "1").length;
  const beats = BEATS.filter((_, at) => at % 2 === ones % 2);
  const first = (number >> 1) % beats.length;
  return [...beats.slice(first), ...beats.slice(0, first)];
}

/** Looks at the open beat. */
async function lookAtBeat(page, lesson, beat, name) {
  await byId(page, LESSONS[lesson]).first().waitFor({ timeout: PATIENCE });
  // Where causes are told, the picture is asked too.
  if (beat === "why") await page.locator(".ask").first().click();
  await look(page, `${lesson}-${BEATS.indexOf(beat) + 1}-${beat}-${name}`);
  if (beat === "why") await byId(page, "answers-close").click();
}

/** The tests of one screen. */
export function looks(site, screen) {
  const variants = Object.keys(SCREENS).flatMap((one) =>
    SCHEMES.flatMap((scheme) => LANGUAGES.map((language) => ({ screen: one, scheme, language }))),
  );
  for (const [number, variant] of variants.entries()) {
    const name = Object.values(variant).join("-");
    if (variant.screen !== screen) continue;
    test(`axe finds nothing (${name})`, async () => {
      const page = await site.open({ ...variant, reducedMotion: "reduce" });
      await visit(page, site.url);
      await look(page, `home-${name}`);
      await visitDuel(page, duelUrl(site.url, DUEL_MOMENT));
      await byId(page, "how").locator("summary").click();
      await look(page, `duel-${name}`);
      // Of the twelve calls the one that changes most.
      await visitCalls(page, callsUrl(site.url, 9));
      await look(page, `container-${name}`);
      assert.deepEqual(page.complaints, []);
    });
    for (const lesson of Object.keys(LESSONS)) {
      test(`axe finds nothing (${lesson}-${name})`, async () => {
        const page = await site.open({ ...variant, reducedMotion: "reduce" });
        const [opened, ...others] = beatsOf(number);
        await visit(page, lessonUrl(site.url, opened, `&t=${LESSON_MOMENT}`, lesson));
        await lookAtBeat(page, lesson, opened, name);
        for (const beat of others) {
          await turnTo(page, beat);
          await placeHead(page, LESSON_MOMENT);
          await lookAtBeat(page, lesson, beat, name);
        }
        assert.deepEqual(page.complaints, []);
      });
    }
  }
}
