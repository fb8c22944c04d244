import { text } from "./texts.js";
import { toast } from "./toasts.js";

// Fields that matter only for some choices, filters that send themselves, one send a form.
const chosen = (form, name) => {
  const fields = form.elements[name];
  if (!fields) return "";
  if (fields instanceof RadioNodeList) return fields.value;
  return fields.type === "checkbox" ? (fields.checked ? fields.value : "") : fields.value;
};

const arrange = (root) => {
  for (const part of root.querySelectorAll("[data-when]")) {
    const form = part.closest("form");
    if (!form) continue;
    const is = part.dataset.whenIs.split(" ").includes(chosen(form, part.dataset.when));
    part.hidden = !is;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !is || (part.parentElement.closest("[data-when]")?.hidden ?? false);
  }
};

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form) return;
  arrange(form);
  if (form.hasAttribute("data-autosubmit")) form.requestSubmit();
});

// Empty filters stay out of the address.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // form.method is the field of that name in a form that has one.
  const method = (form.getAttribute("method") ?? "get").toLowerCase();
  if (method === "get") {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    setTimeout(() => { for (const field of form.elements) if (field.name && !field.value) field.disabled = false; });
  } else if (method === "post" && !form.hasAttribute("hx-post")) {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    if (document.body.classList.contains("app")) sessionStorage.setItem(SENT, form.dataset.said ?? text(form.classList.contains("form") ? "saved" : "done"));
    for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) button.setAttribute("aria-disabled", "true");
  }
});
// A page taken from the back-forward cache has not sent anything.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});

// A form that was taken leads on to another page (303), which says so; a page with errors, or with a result, speaks for itself.
const SENT = "atalaia-sent";
const confirmSent = () => {
  const words = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  const wentOn = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
  if (words && wentOn && document.body.classList.contains("app") && !document.querySelector("main .banner.success, main [data-focus]")) toast(words, { kind: "success" });
};

const begin = (root) => {
  arrange(root);
  root.querySelector("[data-focus]")?.focus();
};
begin(document);
confirmSent();
document.addEventListener("htmx:load", (event) => { if (event.detail.elt.querySelectorAll) begin(event.detail.elt); });
