// "5 min ago" goes on counting.
import { span, text } from "./texts.js";

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
