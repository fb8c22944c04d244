// Before what can't be taken back: a dialog of ours says what will happen, and its button is named by the verb of the one that was
// pressed. Without a script the form is sent as it is.
import { make, text } from "./texts.js";

const agreed = new WeakSet();

// The first sentence is the question, the rest what follows from it.
const parted = (words) => {
  const end = words.indexOf("? ");
  return end < 0 ? [words, ""] : [words.slice(0, end + 1), words.slice(end + 2)];
};

const ask = (form, pressed) => {
  const [question, what] = parted(form.dataset.confirm);
  const verb = pressed?.textContent.trim() || text("go");
  const kind = pressed?.classList.contains("danger") || pressed?.querySelector("[href$='#trash']") ? "danger" : "primary";
  const back = make("button", { class: "button", value: "", autofocus: true }, text("back"));
  const go = make("button", { class: `button ${kind}`, value: "go" }, verb);
  const dialog = make(
    "dialog", { class: "dialog asking", "aria-labelledby": "asking-title", "aria-describedby": what ? "asking-what" : null },
    make("form", { method: "dialog" }, make("h2", { id: "asking-title" }, question), what ? make("p", { id: "asking-what" }, what) : "", make("div", { class: "asking-actions" }, back, go)),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    delete form.dataset.asked;
    if (dialog.returnValue !== "go") return pressed?.focus();
    if (!form.isConnected) document.body.append(form); // its part came anew meanwhile: what was asked is sent all the same
    agreed.add(form);
    form.requestSubmit(pressed);
  });
  form.dataset.asked = ""; // its part is left alone as long as it is asked
  document.body.append(dialog);
  dialog.showModal();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm || agreed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!document.querySelector("dialog.asking")) ask(form, event.submitter);
}, true);
