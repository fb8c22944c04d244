// htmx under a strict policy: the token on every request, failures said, and only what changed moves.
import { make, text } from "./texts.js";
import { toast } from "./toasts.js";

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" && token()) event.detail.headers["X-CSRF-Token"] = token();
});

const ask = (element) => window.htmx.trigger(element, "again");

const failed = (element, why) => {
  if (element.hasAttribute("data-lazy")) {
    const again = make("button", { class: "button", type: "button" }, text("again"));
    again.addEventListener("click", () => window.htmx.ajax("GET", element.getAttribute("hx-get"), { target: element, swap: "outerHTML" }));
    element.setAttribute("aria-busy", "false");
    element.replaceChildren(make("div", { class: "empty failed" }, make("h2", {}, text("failed")), make("p", {}, why), again));
  } else if (element.hasAttribute("data-live-part")) {
    element.setAttribute("data-stale", ""); // the connection state tells; a toast for each part would be noise
  } else {
    toast(`${text("failed")} ${why}`, { kind: "danger", action: { label: text("again"), run: () => ask(element) } });
  }
};

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) return location.reload(); // the session ended: the sign-in page leads back here
  let why = text("status", { status: xhr.status });
  try { why = JSON.parse(xhr.responseText).error.message || why; } catch { /* not JSON: the status has to do */ }
  failed(elt, why);
});
document.addEventListener("htmx:sendError", (event) => failed(event.detail.elt, text("unreachable")));

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

// A part that is being used is not swapped under the reader's hands.
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.hasAttribute?.("data-live-part") && part.querySelector("details.menu[open], dialog[open], input:focus, textarea:focus")) event.preventDefault();
});

// What the reader opened or closed stays so when its part comes anew.
const kept = new Map();
document.addEventListener("toggle", (event) => { if (event.target.matches?.("details[data-keep][id]") && event.isTrusted) kept.set(event.target.id, event.target.open); }, true);
document.addEventListener("htmx:load", (event) => {
  for (const details of event.detail.elt.querySelectorAll?.("details[data-keep][id]") ?? []) if (kept.has(details.id)) details.open = kept.get(details.id);
});
