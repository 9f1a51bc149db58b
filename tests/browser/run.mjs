// Runs the files of tests, or those that are named, two at a time: one file's page computes while the other's waits for it to be
// drawn. Node's own command has an option for it only since version 20.10.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "node:test";

import report from "./reporter.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** What promises people a time is not run beside anything. */
const ALONE = ["home.test.mjs"];
/** What takes longest begins first, so that nothing is left to run by itself at the end. */
const FIRST = ["looks-desktop.test.mjs", "looks-phone.test.mjs"];

const there = readdirSync(FOLDER).filter((name) => name.endsWith(".test.mjs"));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : there;
const beside = chosen.filter((name) => !ALONE.includes(name));
const first = beside.filter((name) => FIRST.includes(name));
const rest = beside.filter((name) => !FIRST.includes(name));

/** The events of these files' tests as they come. */
async function* events(names, concurrency) {
  if (names.length > 0) yield* run({ files: names.map((name) => FOLDER + name), concurrency });
}

async function* all() {
  yield* events(chosen.filter((name) => ALONE.includes(name)), 1);
  yield* events([...first, ...rest], 2);
}

async function* noted() {
  for await (const event of all()) {
    if (event.type === "test:fail") process.exitCode = 1;
    yield event;
  }
}

for await (const text of report(noted())) process.stdout.write(text);
