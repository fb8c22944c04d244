// htmx under a strict policy: the token on every request, failures said, and only what changed moves.
import { make, text } from "./texts.js";
import { toast } from "./toasts.js";

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" && token()) event.detail.headers["X-CSRF-Token"] = token();
});

const ask = (element) => window.htmx.trigger(element, "again");
const askAnew = (part) => window.htmx.ajax("GET", part.getAttribute("hx-get"), { source: part }).catch(() => {}); // told by its event

// The news that it was asked for is not told twice.
const FAILED_PAUSE_MS = 3000;
const waiting = new WeakSet();
const askLater = (part) => {
  if (waiting.has(part)) return;
  waiting.add(part);
  setTimeout(() => {
    waiting.delete(part);
    if (part.isConnected) askAnew(part);
  }, FAILED_PAUSE_MS);
};

const failed = (element, why, isPassing = true) => {
  if (element.hasAttribute("data-lazy")) {
    const again = make("button", { class: "button", type: "button" }, text("again"));
    again.addEventListener("click", () => askAnew(element));
    element.setAttribute("aria-busy", "false");
    element.replaceChildren(make("div", { class: "empty failed" }, make("h2", {}, text("failed")), make("p", {}, why), again));
  } else if (element.hasAttribute("data-live-part")) {
    element.setAttribute("data-stale", ""); // the connection state tells; a toast for each part would be noise
    if (isPassing) askLater(element);
  } else {
    toast(`${text("failed")} ${why}`, { kind: "danger", action: { label: text("again"), run: () => ask(element) } });
  }
};

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) return location.reload(); // the session ended: the sign-in page leads back here
  let why = text("status", { status: xhr.status });
  try { why = JSON.parse(xhr.responseText).error.message || why; } catch { /* not JSON: the status has to do */ }
  failed(elt, why, xhr.status >= 500);
});
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, (event) => failed(event.detail.elt, text("unreachable")));

// Rows and figures with data-key and data-state are lit for a moment where the state is another than before.
const states = (root) => new Map([...root.querySelectorAll("[data-key][data-state]")].map((e) => [e.dataset.key, e.dataset.state]));
let before = new Map();
document.addEventListener("htmx:beforeSwap", (event) => { before = states(document); });
document.addEventListener("htmx:load", (event) => {
  for (const element of event.detail.elt.querySelectorAll?.("[data-key][data-state]") ?? []) {
    const was = before.get(element.dataset.key);
    if (was !== undefined && was !== element.dataset.state) element.classList.add("changed");
  }
});

// What is pressed just now; no longer than a press takes, for not every end of one is told (a menu of the browser's own).
const PRESS_MS = 3000;
let pressed = null;
for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, ({ target }) => { pressed = { target, until: performance.now() + PRESS_MS }; }, true);
for (const name of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(name, () => { pressed = null; }, true);
const isPressed = (part) => pressed !== null && performance.now() < pressed.until && part.contains(pressed.target);

// A part that is being used is not swapped under the reader's hands: a click is lost where another element stands when the
// button is let go. The part comes anew as soon as it is let alone.
const IN_USE = "details.menu[open], dialog[open], form[data-asked], input:focus, textarea:focus, select:focus";
const LOOK_AGAIN_MS = 200;
const isHeld = (part) => part.hasAttribute?.("data-live-part") && (isPressed(part) || part.querySelector(IN_USE) !== null);
const held = new Set();
let looking = null;
const hold = (part) => {
  held.add(part);
  looking ??= setInterval(letGo, LOOK_AGAIN_MS);
};
const letGo = () => {
  for (const part of [...held].filter((each) => !each.isConnected || !isHeld(each))) {
    held.delete(part);
    if (part.isConnected) askAnew(part);
  }
  if (held.size) return;
  clearInterval(looking);
  looking = null;
};

// What had the focus has it again when its part comes anew; where it has an id, htmx sees to that itself.
const placeOf = (element) => {
  if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const form = element.matches("button") && element.closest("form[action]");
  return form ? `form[action="${CSS.escape(form.getAttribute("action"))}"] button` : null;
};
let stoodAt = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (!isHeld(elt)) return;
  event.preventDefault();
  hold(elt);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, target } = event.detail;
  const at = document.activeElement;
  stoodAt = target.contains(at) && !at.id ? placeOf(at) : null;
  if (elt !== target || !isHeld(elt)) return;
  event.detail.shouldSwap = false;
  hold(elt);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (stoodAt && document.activeElement === document.body) event.target.querySelector?.(stoodAt)?.focus({ preventScroll: true });
  stoodAt = null;
});

// What the reader opened or closed stays so when its part comes anew.
const kept = new Map();
document.addEventListener("toggle", (event) => { if (event.target.matches?.("details[data-keep][id]") && event.isTrusted) kept.set(event.target.id, event.target.open); }, true);
document.addEventListener("htmx:load", (event) => {
  for (const details of event.detail.elt.querySelectorAll?.("details[data-keep][id]") ?? []) if (kept.has(details.id)) details.open = kept.get(details.id);
});
