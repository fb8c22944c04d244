// Copy buttons, dialogs, menus, shown passwords.
import { text } from "./texts.js";
import { toast } from "./toasts.js";

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast(text("copied"), { kind: "success" });
  } catch {
    // Browsers give the clipboard only to HTTPS and localhost.
    const field = button.parentElement.querySelector("input, code");
    if (field?.select) field.select();
    else if (field) getSelection().selectAllChildren(field);
    toast(text("not-copied"));
  }
};

const reveal = (button) => {
  const field = document.getElementById(button.dataset.reveal);
  field.type = field.type === "password" ? "text" : "password";
  button.setAttribute("aria-pressed", String(field.type === "text"));
};

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  const copied = at("[data-copy]");
  if (copied) copy(copied);
  const opener = at("[data-dialog]");
  if (opener) {
    opener.closest("[data-menu]")?.removeAttribute("open");
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  if (event.target.nodeName === "DIALOG") event.target.close(); // the backdrop
  const shower = at("[data-reveal]");
  if (shower) reveal(shower);
  for (const menu of document.querySelectorAll("details[data-menu][open], details.help[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("focusin", (event) => { if (event.target.matches("[data-select-all]")) event.target.select(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open], details.help[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
