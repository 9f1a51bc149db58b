// Prints what Node's test runner finds in the form of Rust's libtest, so that `cargo xtask` counts all runners alike.
// Writes nothing else on standard output, but what the tests themselves print.

/** The reason in a `skip` of Node: `true` where the test gave none. */
const reason = (skip) => (typeof skip === "string" && skip !== "" ? skip : "skipped without a reason");

/** Files and suites hold tests, they are none. */
const isTest = (data) => data.details?.type !== "suite" && !data.name.endsWith(".mjs");

export default async function* report(source) {
  const count = { passed: 0, failed: 0, ignored: 0 };
  for await (const { type, data } of source) {
    if (type === "test:pass" && isTest(data)) {
      const skipped = data.skip !== undefined && data.skip !== false;
      count[skipped ? "ignored" : "passed"] += 1;
      const took = `(${(data.details.duration_ms / 1000).toFixed(1)} s)`;
      yield `test ${data.name} ${took} ... ${skipped ? `ignored, ${reason(data.skip)}` : "ok"}\n`;
    } else if (type === "test:fail" && (isTest(data) || data.details?.error?.failureType === "testCodeFailure")) {
      count.failed += 1;
      const error = data.details.error;
      const cause = error?.cause ?? error;
      yield `${cause?.stack ?? cause}\ntest ${data.name} ... FAILED\n`;
    } else if (type === "test:stdout" || type === "test:stderr") {
      yield data.message;
    }
  }
  const word = count.failed === 0 ? "ok" : "FAILED";
  yield `test result: ${word}. ${count.passed} passed; ${count.failed} failed; ${count.ignored} ignored\n`;
}
