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
