// "5 min ago" and "12 s" go on counting.
import { lasting, span, text } from "./texts.js";

const EACH_MS = 15_000;

const tick = () => {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const seconds = (now - Date.parse(element.dateTime)) / 1000;
    const words = Math.abs(seconds) < 1 ? text("just-now") : text(seconds > 0 ? "ago" : "in", { span: span(Math.abs(seconds)) });
    if (element.textContent !== words) element.textContent = words;
  }
};
setInterval(() => { if (!document.hidden) tick(); }, EACH_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });

// What is under way counts each second, from what the server said had passed: its clock and this one may differ.
const begun = new WeakMap();
const count = () => {
  for (const element of document.querySelectorAll("[data-elapsed]")) {
    if (!begun.has(element)) begun.set(element, performance.now() - (Date.parse(element.dataset.now) - Date.parse(element.dataset.elapsed)));
    const words = lasting((performance.now() - begun.get(element)) / 1000);
    if (element.textContent !== words) element.textContent = words;
  }
};
setInterval(() => { if (!document.hidden) count(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) count(); });
