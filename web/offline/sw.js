// Keeps the page usable without a network after the first visit. Written out with the build's file list by make.sh.
"use strict";

const CACHE = "catamaran-@VERSION@";
const FILES = ["@FILES@"];
// Trunk puts a hash of the contents into these names: what is in the cache can't be out of date.
const HASHED = /-[0-9a-f]{8,}(_bg)?\.(js|wasm|css)$/;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith("catamaran-") && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

const fromCache = (request) =>
  caches.match(request.mode === "navigate" ? "./index.html" : request, { cacheName: CACHE, ignoreSearch: true });

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(self.registration.scope) && !url.pathname.includes("/api/");
  if (request.method !== "GET" || !ours) return;
  const network = () => fetch(request).catch(async (error) => (await fromCache(request)) ?? Promise.reject(error));
  event.respondWith(HASHED.test(url.pathname) ? fromCache(request).then((hit) => hit ?? network()) : network());
});
