// Charts: uPlot on JSON from the API, in the colours of the theme, with zoom, tooltip and a table behind.
import uPlot from "../vendor/uPlot.esm.js";
import { load, stepFor } from "./chart-data.js";
import { format, formatTime } from "./values.js";
import { tablesOf, legendOf, tipOf } from "./chart-parts.js";
import { make } from "./texts.js";
import { showTip } from "./tips.js";

const HOUR_S = 3600;
const YOUNG_S = 600;
const charts = new Set();

// A canvas knows no light-dark(): the colour is taken from an element that has it.
const probe = make("i", { hidden: true });
document.body.append(probe);
const resolved = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
const faded = (key, percent) => { probe.style.color = `color-mix(in srgb, var(${tokenOf(key)}) ${percent}%, transparent)`; return getComputedStyle(probe).color; };
const tokenOf = (key) => (/^\d+$/.test(String(key)) ? `--series-${key}` : `--${key}-solid`);

const stacked = (lines) => {
  let below = null;
  return lines.map((line) => {
    if (!line.stack) return line.values;
    below = line.values.map((value, i) => (typeof value === "number" ? value + (below?.[i] ?? 0) : value));
    return below;
  });
};

/** A value between two silences has no line to stand on: it is drawn as a point. */
const alone = (plot, series) => {
  const known = plot.data[series].map((value, i) => [value, i]).filter(([value]) => value !== undefined);
  const isEnd = (i) => (known[i]?.[0] ?? null) === null;
  return known.filter(([value], i) => value !== null && isEnd(i - 1) && isEnd(i + 1)).map(([, i]) => i);
};

const marksPlugin = (chart) => ({
  hooks: {
    draw: (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      for (const mark of chart.marks) {
        const x = plot.valToPos(mark.at / 1000, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = resolved(tokenOf(mark.state ?? "paused"));
        ctx.setLineDash([4, 4]);
        ctx.lineWidth = devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.restore();
    },
  },
});

const optionsOf = (chart, lines, size) => {
  const grid = { stroke: resolved("--line"), width: 1 };
  const axis = { stroke: resolved("--muted"), grid, ticks: { show: false }, font: `12px ${getComputedStyle(document.body).fontFamily}` };
  const withStack = lines.some((line) => line.stack);
  return {
    ...size,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false, sync: { key: "atalaia" } },
    scales: { x: { time: true, range: () => [chart.reach.from, chart.reach.to] }, y: { range: (_, low, high) => chart.unit === "percent" ? [0, Math.max(1, high)] : [Math.min(0, (low ?? 0) * 1.08), Math.max(0, high ?? 1) * 1.08 || (low < 0 ? 0 : 1)] } },
    axes: [
      { ...axis, size: 28, values: (_, splits) => splits.map((s) => formatTime(s, chart.reach.to - chart.reach.from)), space: 70 },
      { ...axis, size: (_, values) => Math.max(40, 12 + 7 * Math.max(0, ...(values ?? []).map((v) => v.length))), values: (_, splits) => splits.map((v) => format(v, chart.unit)), space: 34 },
    ],
    series: [{}, ...lines.map((line) => ({
      label: line.label,
      show: !chart.hidden.has(line.label),
      stroke: resolved(tokenOf(line.color)),
      width: line.stack ? 0 : 1.75, // an edge would draw what is nothing in its colour on top of the others
      fill: line.stack ? faded(line.color, 60) : lines.length === 1 ? faded(line.color, 12) : undefined,
      points: { show: true, size: 5, width: 0, fill: resolved(tokenOf(line.color)), filter: alone },
      spanGaps: false,
    }))],
    bands: withStack ? lines.slice(1).map((_, i) => ({ series: [i + 2, i + 1] })) : undefined,
    plugins: [marksPlugin(chart)],
    hooks: {
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width < 8) return;
        const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        zoomAll(from, to);
      }],
      setCursor: [(plot) => tipOf(plot, chart)],
    },
  };
};

const message = (chart, words, again = null) => {
  chart.plotArea.querySelector(".chart-message")?.remove();
  if (!words) return;
  const box = make("div", { class: "chart-message" }, make("span", {}, words));
  if (again) {
    const button = make("button", { class: "button small", type: "button" }, chart.root.dataset.textAgain);
    button.addEventListener("click", again);
    box.append(button);
  }
  chart.plotArea.append(box);
};

const sizeOf = (chart) => ({ width: chart.plotArea.clientWidth, height: chart.plotArea.clientHeight });

const draw = (chart) => {
  chart.plot?.destroy();
  chart.plot = null;
  const { times, lines } = chart.data;
  const drawn = stacked(lines);
  // The sum stands in front of what it is made of, so the largest is drawn first.
  chart.plot = new uPlot(optionsOf(chart, lines, sizeOf(chart)), [times, ...drawn], chart.plotArea);
  legendOf(chart, redraw);
  if (!chart.tableArea.hidden) tablesOf(chart);
  message(chart, times.length ? null : chart.root.dataset.textEmpty);
};
const redraw = (chart) => draw(chart);

/** When something was measured first; an answer may have begun with nothing. */
const firstOf = ({ times, lines }) => times.find((_, i) => lines.some((line) => typeof line.values[i] === "number")) ?? -Infinity;
const isYoung = ({ zoom, over, reach, data }) => {
  const span = reach.to - reach.from;
  return !zoom && !over && span > YOUNG_S && firstOf(data) > reach.from + span * 0.75;
};

const refresh = async (chart) => {
  chart.abort?.abort();
  chart.abort = new AbortController();
  const now = Date.now() / 1000;
  const [from, to] = chart.zoom ?? chart.over ?? [now - chart.hours * HOUR_S, now];
  chart.reach = { from, to, step: stepFor(from, to, chart.plotArea.clientWidth) };
  chart.plotArea.classList.add("loading");
  chart.root.querySelector("[data-chart-reset]").hidden = !chart.zoom;
  try {
    chart.data = await load(chart, chart.abort.signal);
    if (isYoung(chart)) {
      // Measured for a few minutes only: those are shown, not the empty day before them.
      const first = firstOf(chart.data);
      const begin = Math.min(first - (to - first) * 0.05, to - YOUNG_S);
      chart.reach = { from: begin, to, step: stepFor(begin, to, chart.plotArea.clientWidth) };
      chart.data = await load(chart, chart.abort.signal);
    }
    draw(chart);
  } catch (error) {
    if (error.name === "AbortError") return;
    message(chart, chart.root.dataset.textFailed, () => refresh(chart));
  }
  chart.plotArea.classList.remove("loading");
};

// What happened at one time is looked at in all charts of the page.
const zoomAll = (from, to) => {
  showTip(null);
  for (const chart of charts) { chart.zoom = from === null ? null : [from, to]; refresh(chart); }
};

const chosenHours = () => Number(document.querySelector("[data-range]") && new URL(location.href).searchParams.get("hours")) || null;

const mount = (root) => {
  if (root.dataset.mounted) return;
  root.dataset.mounted = "1";
  const chart = {
    root, unit: root.dataset.unit, hours: chosenHours() ?? Number(root.dataset.hours), zoom: null,
    over: root.dataset.from ? [Number(root.dataset.from) / 1000, Number(root.dataset.to) / 1000] : null, hidden: new Set(), plot: null,
    series: JSON.parse(root.dataset.series), marks: JSON.parse(root.dataset.marks), colourOf: (line) => tokenOf(line.color),
    plotArea: root.querySelector(".chart-plot"), tableArea: root.querySelector(".chart-table"), legendArea: root.querySelector(".chart-legend"),
  };
  charts.add(chart);
  root.querySelector("[data-chart-reset]").addEventListener("click", () => zoomAll(null));
  const opener = root.querySelector("[data-chart-table]");
  opener.disabled = false;
  opener.addEventListener("click", (event) => {
    chart.tableArea.hidden = !chart.tableArea.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!chart.tableArea.hidden));
    if (!chart.tableArea.hidden && chart.data) tablesOf(chart);
  });
  chart.plotArea.addEventListener("pointerleave", () => showTip(null));
  new ResizeObserver(() => { const size = sizeOf(chart); if (chart.plot && size.width && size.width !== chart.plot.width) chart.plot.setSize(size); }).observe(chart.plotArea);
  refresh(chart);
};

export const mountCharts = (root) => {
  for (const choice of document.querySelectorAll("[data-range] [data-hours]")) choice.disabled = false;
  for (const choice of chosenHours() ? document.querySelectorAll("[data-range] [data-hours]") : []) choice.setAttribute("aria-pressed", String(Number(choice.dataset.hours) === chosenHours()));
  for (const chart of charts) if (!chart.root.isConnected) { chart.plot?.destroy(); charts.delete(chart); }
  if (root.matches?.("[data-chart]")) mount(root);
  for (const element of root.querySelectorAll("[data-chart]")) mount(element);
};

document.addEventListener("theme", () => { for (const chart of charts) if (chart.data) draw(chart); });
document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-range] [data-hours]");
  if (!choice) return;
  for (const other of choice.parentElement.children) other.setAttribute("aria-pressed", String(other === choice));
  const url = new URL(location.href);
  url.searchParams.set("hours", choice.dataset.hours);
  history.replaceState(history.state, "", url);
  for (const link of document.querySelectorAll("[data-keeps-hours] a")) {
    const address = new URL(link.href);
    address.searchParams.set("hours", choice.dataset.hours);
    link.href = address;
  }
  for (const chart of charts) { chart.hours = Number(choice.dataset.hours); chart.zoom = null; refresh(chart); }
});
setInterval(() => { if (!document.hidden) for (const chart of charts) if (!chart.zoom && !chart.over && chart.hours <= 24) refresh(chart); }, 30_000);
