// One key each: / search, ? help, t theme, n new, j k rows, g and a letter to go.
import { nextTheme } from "./theme.js";

const GO_MS = 1500;
let goAt = 0;

const types = (element) => element.closest?.("input, textarea, select, [contenteditable]");

const step = (by) => {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement);
  const next = rows[Math.min(rows.length - 1, Math.max(0, here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
};

const ACTIONS = {
  "/": () => { const field = document.querySelector("[data-hotkey-search]"); field?.focus(); field?.select(); },
  "?": () => { const help = document.getElementById("keyboard"); if (help && !help.open) help.showModal(); },
  t: nextTheme,
  j: () => step(1),
  k: () => step(-1),
  n: () => document.querySelector("[data-hotkey-new]")?.click(),
  g: () => { goAt = performance.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (types(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector("dialog[open]") || !document.body.classList.contains("app")) return;
  const goes = performance.now() - goAt < GO_MS && goAt > 0;
  goAt = 0;
  if (goes && /^[a-z]$/.test(event.key)) {
    document.querySelector(`.side a[data-go="${event.key}"]`)?.click(); // the menu has only what this person may open
    return;
  }
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
