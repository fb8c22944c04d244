// What stands around a plot: legend, tooltip, table.
import { make } from "./texts.js";
import { showTip } from "./tips.js";
import { format, fullTime } from "./values.js";

const ROWS = 500;
const NAMED = 12; // beyond it the legend waits to be opened

const swatch = (line) => make("i", { class: `swatch c-${line.color}`, "aria-hidden": "true" });
const lastOf = (values) => { for (let i = values.length - 1; i >= 0; i -= 1) if (typeof values[i] === "number") return values[i]; return null; };

/** One button a line: its colour, name and last value; pressing it hides or shows the line. */
export const legendOf = (chart, redraw) => {
  const { lines } = chart.data;
  const isLong = lines.length > NAMED;
  const entries = lines.map((line) => {
    const button = make("button", { type: "button", "aria-pressed": String(!chart.hidden.has(line.label)) }, swatch(line), line.label, make("b", {}, format(lastOf(line.values), chart.unit)));
    button.addEventListener("click", () => {
      if (!chart.hidden.delete(line.label)) chart.hidden.add(line.label);
      redraw(chart);
    });
    return make("li", {}, button);
  });
  chart.legendArea.classList.toggle("long", isLong);
  chart.legendArea.replaceChildren(...(isLong && !chart.isLegendOpen ? entries.slice(0, NAMED) : entries));
  if (isLong) chart.legendArea.append(make("li", {}, opener(chart, lines.length, redraw)));
};

const opener = (chart, count, redraw) => {
  const words = chart.isLegendOpen ? chart.root.dataset.textFewer : chart.root.dataset.textMore.replace("{n}", count);
  const button = make("button", { type: "button", class: "legend-more", "aria-expanded": String(Boolean(chart.isLegendOpen)) }, words);
  button.addEventListener("click", () => {
    chart.isLegendOpen = !chart.isLegendOpen;
    legendOf(chart, redraw);
    chart.legendArea.querySelector(".legend-more").focus();
  });
  return button;
};

export const tipOf = (plot, chart) => {
  const { idx, left, top } = plot.cursor;
  // Charts follow each other's cursor; only the one under the pointer speaks.
  if (idx === null || idx === undefined || left < 0 || !chart.plotArea.matches(":hover")) {
    if (chart.plotArea.matches(":hover")) showTip(null);
    return;
  }
  const list = make("dl", {});
  for (const line of chart.data.lines) {
    if (chart.hidden.has(line.label)) continue;
    list.append(make("dt", {}, swatch(line), line.label), make("dd", {}, format(line.values[idx], chart.unit)));
  }
  const frame = plot.over.getBoundingClientRect();
  const mark = chart.marks.find((each) => Math.abs(each.at / 1000 - chart.data.times[idx]) <= chart.reach.step);
  const parts = [make("strong", {}, fullTime(chart.data.times[idx])), list];
  if (mark) parts.push(make("span", {}, mark.label));
  showTip(parts, frame.left + left, frame.top + Math.max(0, top));
};

/** The same values as a table, newest first. */
export const tablesOf = (chart) => {
  const { times, lines } = chart.data;
  const head = make("tr", {}, make("th", { scope: "col" }, chart.root.dataset.textTime), ...lines.map((line) => make("th", { scope: "col", class: "num" }, line.label)));
  const body = make("tbody", {});
  for (let i = times.length - 1; i >= Math.max(0, times.length - ROWS); i -= 1) {
    body.append(make("tr", {}, make("td", {}, fullTime(times[i])), ...lines.map((line) => make("td", { class: "num" }, format(line.values[i], chart.unit)))));
  }
  chart.tableArea.replaceChildren(make("table", { class: "table" }, make("thead", {}, head), body));
};
