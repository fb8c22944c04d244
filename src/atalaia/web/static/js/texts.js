// Words come with the page in the reader's language (shell.html), never from here.
export const text = (name, values = {}) =>
  (document.body.getAttribute(`data-text-${name}`) ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

export const locale = document.documentElement.lang || "en";

/** "3 min": the largest unit, as the server writes it. */
export const span = (seconds) => {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.max(1, Math.floor(seconds))} s`;
};

/** "3 min 12 s": the two largest units, as the server writes them. */
export const lasting = (seconds) => {
  let rest = Math.max(0, Math.round(seconds));
  const shown = [];
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) shown.push(`${count} ${unit}`);
    else if (shown.length) break;
    if (shown.length === 2) break;
  }
  return shown.join(" ") || "0 s";
};

export const clock = (date) =>
  date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** An element with children; text is always text, never HTML. */
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};
