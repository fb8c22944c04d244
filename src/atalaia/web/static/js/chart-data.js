// From the API's columns to lines on one axis.
const PIXELS_A_POINT = 3;
const LINES_SHOWN = 20; // more can't be told apart; the table of series has them all
const STEPS_S = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** Seconds of a step, so that a point has some pixels. */
export const stepFor = (from, to, width) => {
  const ideal = (to - from) / Math.max(60, width / PIXELS_A_POINT);
  return STEPS_S.find((step) => step >= ideal) ?? STEPS_S.at(-1);
};

const address = (src, { from, to, step }) => {
  const url = new URL(src, location.href);
  url.searchParams.set("from", Math.floor(from / step) * step * 1000);
  url.searchParams.set("to", Math.ceil(to / step) * step * 1000);
  url.searchParams.set("step", step);
  return url;
};

/** What a line is, and what tells the items of one answer apart: labels that differ, without an id whose name stands beside it. */
const namesOf = (declared, items) => {
  if (items.length < 2) return [declared.label];
  const whole = (differing) => (declared.bare ? [] : [declared.label]).concat(differing).join(" · ") || declared.label;
  const keys = [...new Set(items.flatMap((item) => Object.keys(item.labels ?? {})))].filter((key) => !items.some((item) => item.labels?.[`${key}_name`]));
  const differing = keys.filter((key) => new Set(items.map((item) => item.labels?.[key])).size > 1);
  return items.map((item) => whole(differing.map((key) => item.labels?.[key]).filter(Boolean)));
};

/** Values by second, and the silences between them: uPlot breaks a line at null and goes on over undefined. */
const pointsOf = (item, step) => {
  const times = item.times.map((ms) => ms / 1000);
  // Money comes as text, exact; a pixel needs no more than a float.
  const points = new Map(times.map((time, i) => [time, typeof item.values[i] === "string" ? Number(item.values[i]) : item.values[i]]));
  const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  // Something measured every 5 min is no row of gaps on a step of 30 s.
  const silence = 2.5 * Math.max(step, gaps[gaps.length >> 1] ?? step);
  const silences = [];
  times.forEach((time, i) => {
    if (i + 1 === times.length || times[i + 1] - time <= silence) return;
    silences.push([time, times[i + 1]]);
    points.set(time + step, null); // at least one, where no other line has a value meanwhile
  });
  return { points, silences };
};
const isSilent = (line, time) => line.silences.some(([from, to]) => time > from && time < to);

/** All lines on one axis of times: {times: [s], lines: [{label, color, values}]} */
export const load = async (chart, signal) => {
  const answers = await Promise.all(chart.series.map(async (declared) => {
    const answer = await fetch(address(declared.src, chart.reach), { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return { declared, items: (await answer.json()).items ?? [] };
  }));
  const lines = [];
  for (const { declared, items } of answers) {
    const names = namesOf(declared, items);
    items.slice(0, LINES_SHOWN).forEach((item, index) => lines.push({
      label: names[index],
      color: items.length > 1 ? (lines.length % 6) + 1 : declared.color ?? (lines.length % 6) + 1,
      stack: declared.stack ?? false,
      ...pointsOf(item, chart.reach.step),
    }));
  }
  const times = [...new Set(lines.flatMap((line) => [...line.points.keys()]))].sort((a, b) => a - b);
  for (const line of lines) line.values = times.map((time) => line.points.get(time) ?? (isSilent(line, time) ? null : undefined));
  return { times, lines };
};
