// How many incidents are open, seen from another tab: in the title and in the tab's picture; on a phone on the menu's button.
const words = document.title;
const picture = document.querySelector("link[rel=icon]");
const calm = picture.href;

const show = (count) => {
  document.title = count ? `(${count}) ${words}` : words;
  document.body.toggleAttribute("data-alarm", count > 0);
  const wanted = count ? new URL(picture.dataset.alarm, location.href).href : calm;
  if (picture.href !== wanted) picture.href = wanted;
};

document.addEventListener("htmx:load", (event) => {
  const { id, dataset } = event.detail.elt;
  if (id === "open-incidents" && dataset.count) show(Number(dataset.count));
});

// Where one is: in a long menu and among many tabs it is brought into view.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest" });
document.getElementById("side")?.addEventListener("toggle", (event) => event.target.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }));
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
