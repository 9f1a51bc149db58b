// The two ways in which the page reaches people: `catamaran serve`, and plain files on a static host.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const DIST = process.env.CATAMARAN_DIST ?? join(ROOT, "dist");
export const PROGRAM = process.env.CATAMARAN_PROGRAM ?? join(ROOT, "target/debug/catamaran");
export const SCREENSHOTS = join(ROOT, "target/screenshots");

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** The files of the page below `/somewhere/`, as on a static host that gives each project a folder. */
export async function serveFiles() {
  const base = "/somewhere/";
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://host").pathname;
    const name = path === base ? "index.html" : normalize(path.slice(base.length));
    try {
      if (!path.startsWith(base) || name.startsWith("..")) throw new Error("outside");
      const body = await readFile(join(DIST, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  // A test that fails before it stops its server must not keep its file's process from its end.
  server.unref();
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  const stop = () =>
    new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    });
  return { url, stop };
}

/** `catamaran serve` on a free port; `url` is what it says to open. */
export async function serveForReal() {
  const child = spawn(PROGRAM, ["serve", "--addr", "127.0.0.1:0", "--dist", DIST], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await new Promise((found, failed) => {
    let said = "";
    const listen = (chunk) => {
      said += chunk;
      const match = said.match(/http:\/\/127\.0\.0\.1:\d+\S*/);
      if (match) found(match[0]);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("error", failed);
    child.on("exit", (code) => failed(new Error(`\`catamaran serve\` ended with ${code}: ${said}`)));
  });
  const stop = () =>
    new Promise((ended) => {
      child.on("exit", ended);
      child.kill("SIGTERM");
    });
  return { url, stop };
}
