// What every page needs; each module looks for its own data- attributes and works on parts that come later too.
import "./htmx-setup.js";
import "./live.js";
import "./theme.js";
import "./keys.js";
import "./asking.js";
import "./forms.js";
import "./clicks.js";
import "./times.js";
import "./tips.js";
import "./count.js";

const drawCharts = async (root) => {
  if (!root.querySelector("[data-chart]") && !root.matches?.("[data-chart]")) return;
  const { mountCharts } = await import("./chart.js");
  mountCharts(root);
};
drawCharts(document);
document.body.addEventListener("htmx:load", (event) => drawCharts(event.detail.elt));

// Only the page that needs it loads it.
if (document.querySelector("[data-placing]")) import("./placing.js").then(({ mountPlacing }) => mountPlacing(document));
