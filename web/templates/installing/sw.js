// Keeps static files, and a page to show without net. Nothing of a member's is ever kept.
const CACHE = "smtpy-{{ version }}";
const OFFLINE = {{ offline|tojson }};
const KEPT = {{ kept|tojson }};

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT, new Request(OFFLINE, { credentials: "omit", cache: "reload" })]);
}

addEventListener("activate", (event) =>
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)))),
  ),
);

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  else if (request.method === "GET" && KEPT.includes(url.pathname + url.search))
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
