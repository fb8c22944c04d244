import { make, text } from "./texts.js";

const SHOWN_MS = 6000;

/** A short notice at the edge of the page; `action`: {label, run}. Dangers stay until they are closed. */
export const toast = (message, { kind = "info", action = null } = {}) => {
  const box = make("div", { class: `toast ${kind}` }, make("span", {}, message));
  if (action) {
    const button = make("button", { type: "button" }, action.label);
    button.addEventListener("click", () => { box.remove(); action.run(); });
    box.append(button);
  }
  if (action || kind === "danger") {
    const close = make("button", { type: "button", "aria-label": text("close") }, "×");
    close.addEventListener("click", () => box.remove());
    box.append(close);
  }
  const shelf = document.getElementById("toasts");
  while (shelf.childElementCount > 2) shelf.firstElementChild.remove();
  shelf.append(box);
  if (kind !== "danger") setTimeout(() => box.remove(), SHOWN_MS);
};

// A server's answer may say HX-Trigger: {"toast": {"text": "…", "kind": "success"}}.
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail));
