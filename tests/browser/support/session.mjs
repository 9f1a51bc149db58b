// What every file of tests begins and ends with: a browser, and a server of the page.
import { after, afterEach, before } from "node:test";

import { launch, open } from "./chromium.mjs";
import { serveFiles } from "./servers.mjs";

/** Both, from before the first test of the file until after its last; `serve` starts the server. */
export function session(serve = serveFiles) {
  let browser;
  let server;
  before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
  });
  // A page that is left open goes on playing, and its simulator keeps its memory.
  afterEach(() => Promise.all(browser?.contexts().map((context) => context.close()) ?? []));
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  return {
    /** Where the page is. */
    get url() {
      return server.url;
    },
    /** A fresh page in a fresh profile. */
    open: (wish) => open(browser, wish),
  };
}
