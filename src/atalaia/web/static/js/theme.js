// auto → light → dark. The cookie lets the server draw the next page right away; a signed-in person's choice is kept with the account.
const root = document.documentElement;
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const YEAR_S = 31_536_000;

const keep = (name, value) => { document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${YEAR_S}; samesite=lax`; };
export const theme = () => root.dataset.theme ?? "auto";

// Who looks for the right one presses the button more than once.
const SETTLED_MS = 600;
let keeping = 0;
const keepWithAccount = () => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  // This browser has it already; the account has it the next time if the line is down now.
  fetch("/account/theme", { method: "POST", headers: { "X-CSRF-Token": token }, body: new URLSearchParams({ theme: theme() }), keepalive: true }).catch(() => {});
};

const label = () => {
  for (const button of document.querySelectorAll("[data-theme-next]")) {
    const words = button.getAttribute(`data-label-${theme()}`);
    button.title = words;
    button.setAttribute("aria-label", words);
  }
};

export const nextTheme = () => {
  const next = NEXT[theme()];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  keep("atalaia_theme", next);
  label();
  document.dispatchEvent(new CustomEvent("theme"));
  if (document.body.classList.contains("app")) {
    clearTimeout(keeping);
    keeping = setTimeout(keepWithAccount, SETTLED_MS);
  }
};

document.addEventListener("click", (event) => { if (event.target.closest("[data-theme-next]")) nextTheme(); });
// Paper is light whatever the theme: plots are drawn anew for it.
for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme")));
label();

// Times are shown in the reader's zone; the server learns it here and uses it where the account names none.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) keep("atalaia_timezone", zone);
