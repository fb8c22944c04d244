// Figures on a chart, written as the server writes them.
import { locale, span } from "./texts.js";

const DAY_S = 86400;
const plain = (value, digits) => value.toLocaleString(locale, { maximumFractionDigits: digits });

const bytes = (value) => {
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < 5) { value /= 1000; unit += 1; }
  return `${plain(value, unit && Math.abs(value) < 100 ? 1 : 0)} ${["B", "KB", "MB", "GB", "TB", "PB"][unit]}`;
};
const milliseconds = (value) => {
  if (value >= 60_000) return span(value / 1000);
  if (value >= 1000) return `${plain(value / 1000, 2)} s`;
  return `${plain(value, value >= 100 ? 0 : 1)} ms`;
};

export const format = (value, unit) => {
  if (value === null || value === undefined) return "–";
  if (unit === "ms") return milliseconds(value);
  if (unit === "s") return milliseconds(value * 1000);
  if (unit === "bytes") return bytes(value);
  if (unit === "money") return value.toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 });
  if (unit === "percent") return `${plain(value * 100, 2)}%`;
  return plain(value, Math.abs(value) >= 100 ? 1 : 3);
};

const part = (options) => new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options });
const CLOCK = part({ hour: "2-digit", minute: "2-digit" });
const SECONDS = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = part({ day: "2-digit", month: "short" });
const FULL = part({ day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** On an axis: as much as the reach needs. */
export const formatTime = (seconds, reachS) => {
  const date = new Date(seconds * 1000);
  if (reachS > 2 * DAY_S) return DAY.format(date);
  return (reachS < 600 ? SECONDS : CLOCK).format(date);
};
export const fullTime = (seconds) => FULL.format(new Date(seconds * 1000));
