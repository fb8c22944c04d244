// Live pages. One event stream a browser: tabs agree by a lock on who holds it, and hear the rest by a channel.
// A message is {"topic": "checks", "id": "…"}; elements with hx-trigger="live:checks from:body" then fetch themselves anew.
import { clock, text } from "./texts.js";

const ADDRESS = document.body.dataset.live;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
const ASK_EVERY_MS = 30_000;
const GATHER_MS = 400; // a burst of changes is one fetch
const SILENT_MS = 45_000; // the server sends a comment or event at least each 15 s

const shown = () => document.querySelectorAll("[data-live-state]");
const channel = "BroadcastChannel" in window ? new BroadcastChannel("atalaia-live") : null;
const canShare = channel && navigator.locks;

let state = "connecting";
let since = null;
let release = null;
let source = null;
let retryMs = FIRST_RETRY_MS;
let retryTimer = 0;
let silenceTimer = 0;
let leads = false;
let missed = true; // something may have happened that this page did not hear

const words = () => {
  if (state === "offline") {
    return text("offline", { time: clock(since ?? new Date()) });
  }
  return text(state);
};

const lostLine = document.getElementById("line-lost");
const tellLost = () => {
  if (!lostLine) return;
  lostLine.hidden = state !== "offline";
  if (!lostLine.hidden) lostLine.querySelector("strong").textContent = text("lost", { time: clock(since ?? new Date()) });
};
// Asked first: a reload while the hub is away would leave nothing to read.
const again = async (button) => {
  button.disabled = true;
  try { if ((await fetch("/health/live")).ok) return location.reload(); } catch { /* still away: the line says so */ }
  button.disabled = false;
};
lostLine?.addEventListener("click", (event) => { const button = event.target.closest("[data-line-again]"); if (button) again(button); });

const show = (next, { tell = true, at = null, opened = false } = {}) => {
  if (next === "reconnecting" || next === "offline") since ??= at ? new Date(at) : new Date();
  else since = null;
  state = next;
  for (const element of shown()) {
    element.dataset.liveState = state;
    element.querySelector(".live-text").textContent = words();
    element.title = state === "polling" ? text("polling") : state === "offline" ? `${text("polling")} · ${text("retry", { seconds: Math.round(retryMs / 1000) })}` : words();
  }
  tellLost();
  if (tell && leads) channel?.postMessage({ state, at: since?.getTime() ?? null, opened });
  // Between the making of a page, or the end of the stream before, and this stream's opening nobody heard anything.
  if (state === "online" && (opened || missed)) { missed = false; announceAll(); }
};

const waiting = new Map();
const announce = (topic, id) => {
  if (waiting.has(topic)) return waiting.get(topic).add(id);
  waiting.set(topic, new Set([id]));
  setTimeout(() => {
    const ids = waiting.get(topic);
    waiting.delete(topic);
    dispatch(`live:${topic}`, { ids: [...ids] });
    // Without an id it is news of so many that each may be among them.
    if (ids.has("")) for (const name of topics()) if (name.startsWith(`${topic}:`)) ids.add(name.slice(topic.length + 1));
    for (const each of ids) if (each) dispatch(`live:${topic}:${each}`, { ids: [each] });
  }, GATHER_MS);
};
const saidAt = new Map();
const dispatch = (name, detail) => {
  saidAt.set(name, performance.now());
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
};

const newsOf = (part) => [...(part.getAttribute("hx-trigger") ?? "").matchAll(/live:[^\s,]+/g)].map(([name]) => name);
const topics = () => {
  const names = [...document.querySelectorAll("[hx-trigger*='live:']")].flatMap(newsOf);
  return new Set(names.map((name) => name.slice("live:".length)));
};
function announceAll() {
  for (const name of topics()) dispatch(`live:${name}`, { ids: [] });
}

// News that come while a part is replaced find nobody: it waits a moment for those that come together, and is gone by then, or
// the one in its place does not listen yet.
const askedAt = new Map();
document.addEventListener("htmx:beforeSend", ({ detail: { elt } }) => askedAt.set(elt.getAttribute("hx-get"), performance.now()));
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  const address = elt.getAttribute?.("hx-get");
  if (!address || !newsOf(elt).some((name) => saidAt.get(name) > askedAt.get(address))) return;
  window.htmx.ajax("GET", address, { source: elt }).catch(() => {}); // told by its event
});

const hear = (data) => {
  let message;
  try { message = JSON.parse(data); } catch { return; }
  if (!message?.topic) return;
  if (message.topic === "resync" && leads) channel?.postMessage({ message });
  if (message.topic === "resync") return announceAll(); // this reader was too slow, and missed some
  announce(message.topic, message.id ?? "");
  if (leads) channel?.postMessage({ message: { topic: message.topic, id: message.id ?? "" } });
};

const alive = () => {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => { source?.close(); lost(); }, SILENT_MS);
};

const lost = () => {
  source?.close();
  source = null;
  clearTimeout(silenceTimer);
  clearTimeout(retryTimer);
  show(retryMs > FIRST_RETRY_MS * 2 || !navigator.onLine ? "offline" : "reconnecting");
  retryTimer = setTimeout(connect, retryMs);
  retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
};

function connect() {
  clearTimeout(retryTimer);
  source?.close();
  source = new EventSource(ADDRESS);
  source.onopen = () => { retryMs = FIRST_RETRY_MS; alive(); show("online", { opened: true }); };
  source.onmessage = (event) => { alive(); hear(event.data); };
  source.addEventListener("beat", alive);
  source.onerror = lost; // the browser's own retry knows no growing pause
}

const disconnect = () => {
  clearTimeout(retryTimer);
  clearTimeout(silenceTimer);
  source?.close();
  source = null;
};

const lead = () => new Promise((resolve) => {
  leads = true;
  release = () => { leads = false; release = null; disconnect(); resolve(); };
  connect();
});

let wanted = null;
const join = () => {
  if (!canShare) { if (!source) { leads = true; connect(); } return; }
  if (wanted) return;
  wanted = new AbortController();
  navigator.locks.request("atalaia-live", { signal: wanted.signal }, lead).catch(() => {});
  channel.postMessage({ hello: true });
};
const leave = () => {
  missed = true;
  if (!canShare) return disconnect();
  wanted?.abort();
  wanted = null;
  release?.();
};

const start = () => {
  if (channel) channel.onmessage = ({ data }) => {
    if (data.message && !leads) hear(JSON.stringify(data.message));
    if (data.state && !leads) show(data.state, { tell: false, at: data.at, opened: data.opened });
    if (data.hello && leads) channel.postMessage({ state, at: since?.getTime() ?? null });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    join();
    announceAll(); // a hidden page heard nothing
  });
  window.addEventListener("online", () => { retryMs = FIRST_RETRY_MS; if (leads) connect(); });
  window.addEventListener("offline", () => { if (leads) lost(); else show("offline", { tell: false }); });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) join(); });
  // Without live events every part still asks, each 30 s, and the page says so.
  setInterval(() => { if (!document.hidden && state !== "online") announceAll(); }, ASK_EVERY_MS);
  if (!("EventSource" in window)) return show("polling");
  if (!document.hidden) join();
};

if (ADDRESS) start();
