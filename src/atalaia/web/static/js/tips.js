// What data-tip says, beside the pointer; the same words stand in the part's own label for those who do not point.
import { make } from "./texts.js";

const tip = make("div", { class: "tip", hidden: true, "aria-hidden": "true" });
document.body.append(tip);

/** Show `content` (text or nodes) near the point; null hides it. */
export const showTip = (content, x = 0, y = 0) => {
  tip.hidden = content === null;
  if (content === null) return;
  tip.replaceChildren(...(Array.isArray(content) ? content : [content]));
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(6, Math.min(x + 14, innerWidth - width - 6))}px`;
  tip.style.top = `${y + height + 22 > innerHeight ? y - height - 12 : y + 16}px`;
};

document.addEventListener("pointermove", (event) => {
  const at = event.target.closest?.("[data-tip]");
  if (at) showTip(at.dataset.tip, event.clientX, event.clientY);
  else if (!tip.hidden && !event.target.closest?.(".chart-plot")) showTip(null);
});
document.addEventListener("pointerleave", () => showTip(null));
addEventListener("scroll", () => showTip(null), { passive: true, capture: true });
