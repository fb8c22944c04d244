// Atalaia's sniffer: prints what this page sends to its upstream, one JSON line a frame, without secrets.
// Paste it into the console of the page, do the steps, then save the console's lines and import the file:
//   atalaia capture import lines.txt
// Nothing leaves this browser. Call atalaiaSniffer.stop() to end it; a reload ends it too.
(() => {
  "use strict";
  const KEYS = /*keys*/["action"]/*keys*/; // a frame is printed when it has one of these keys at any depth
  const SECRET = /pass(?:word|wd|phrase)?$|pwd|senha|secret|token|tkn|api[_-]?key|authorization|cookie|signature|credential|jwt|^key$|^s?sid$|session_?id$/i;
  const GUID = /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i;
  const NAMED = /"((?:[^"\\]|\\[^])*)"\s*:\s*(?:"((?:[^"\\]|\\[^])*)"?|(-?\d[\d.eE+-]*))/g;
  const LONG = 20;
  const before = globalThis.atalaiaSniffer;
  if (before) before.stop();
  const seen = new Set(); // values of secrets: taken out wherever they stand; never printed

  // The text as a list of pieces, one a character; a percent-encoded frame's %XX is one piece.
  const isEncoded = (raw) => /^\s*(?:%[0-9a-f]{2}|\{\s*%22)/i.test(raw);
  const split = (raw) => (isEncoded(raw) ? raw.match(/%[0-9a-f]{2}|[^]/gi) : raw.split("")) || [];
  const said = (piece) => (piece.length === 3 ? String.fromCharCode(parseInt(piece.slice(1), 16)) : piece);

  function hide(raw) {
    const pieces = split(raw);
    const star = isEncoded(raw) ? "x" : "*";
    const view = pieces.map(said).join("");
    for (const found of view.matchAll(NAMED)) {
      const value = found[2] === undefined ? found[3] : found[2];
      if (!value || !SECRET.test(found[1])) continue;
      const isMark = /tkn$/i.test(found[1]);
      if (!isMark && value.length >= 8) seen.add(value);
      const start = found.index + found[0].lastIndexOf(value);
      const fill = found[2] === undefined ? "1" : isMark && /^\d+$/.test(value) ? "0" : star;
      for (let i = start; i < start + value.length; i++) pieces[i] = fill.repeat(pieces[i].length);
    }
    let shown = pieces.join("");
    for (const value of seen) {
      for (const form of [value, encodeURIComponent(value)]) shown = shown.split(form).join(star.repeat(form.length));
    }
    return shown;
  }

  function hideAddress(address) {
    try {
      const url = new URL(address, location.href);
      const long = url.pathname.split("/").filter((part) => part.length >= LONG);
      const tokens = long.filter((part) => !GUID.test(part));
      for (const part of tokens.length ? tokens : long) seen.add(decodeURIComponent(part)).add(part);
      const path = url.pathname.split("/").map((part) => (part.length >= LONG ? "***" : part)).join("/");
      const query = [...url.searchParams].map(([name, value]) => {
        const isSecret = SECRET.test(name) || value.length >= LONG;
        if (isSecret && value.length >= 8) seen.add(value);
        return `${name}=${isSecret ? "***" : value}`;
      });
      return `${url.protocol}//${url.host}${path}${query.length ? "?" + query.join("&") : ""}`;
    } catch {
      return "";
    }
  }

  function decoded(raw) {
    const text = raw.replace(/^[\s\0]+|[\s\0]+$/g, "");
    try {
      return JSON.parse(isEncoded(text) ? decodeURIComponent(text) : text);
    } catch {
      return undefined;
    }
  }

  const has = (value, key) =>
    value !== null && typeof value === "object" && (key in value || Object.values(value).some((inner) => has(inner, key)));

  // Keys in their order, by the path of the object that has them.
  function keySets(value, path = "$", sets = {}) {
    if (value === null || typeof value !== "object") return sets;
    if (!Array.isArray(value)) sets[path] = Object.keys(value);
    for (const [key, inner] of Object.entries(value)) keySets(inner, Array.isArray(value) ? `${path}[]` : `${path}.${key}`, sets);
    return sets;
  }

  function show(via, address, raw) {
    try {
      const value = decoded(raw);
      if (value === undefined || !KEYS.some((key) => has(value, key))) return;
      const action = value.action || {};
      const line = {
        atalaia_capture: 1,
        at: Date.now(),
        via,
        direction: "sent",
        address: hideAddress(address), // first: it teaches the token that the address has
        action: action.name,
        flow_id: action.flow_id,
        encoding: isEncoded(raw) ? "percent" : "plain",
        keys: keySets(value),
        raw: hide(raw),
        browser: navigator.userAgent,
      };
      console.log(JSON.stringify(line));
    } catch {
      // The page must not notice.
    }
  }

  function textOf(body) {
    if (typeof body === "string") return body;
    if (body instanceof URLSearchParams) return body.toString();
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(body);
      } catch {
        return "";
      }
    }
    return "";
  }

  const { send: socketSend } = WebSocket.prototype;
  const { open, send: requestSend } = XMLHttpRequest.prototype;
  const fetched = globalThis.fetch;
  const addresses = new WeakMap();

  WebSocket.prototype.send = function (data) {
    show("socket", this.url, textOf(data));
    return socketSend.apply(this, arguments);
  };
  XMLHttpRequest.prototype.open = function (method, url) {
    addresses.set(this, String(url));
    return open.apply(this, arguments);
  };
  XMLHttpRequest.prototype.send = function (body) {
    show("http", addresses.get(this) || "", textOf(body));
    return requestSend.apply(this, arguments);
  };
  globalThis.fetch = function (target, options) {
    const address = target instanceof Request ? target.url : String(target);
    if (options && options.body) show("http", address, textOf(options.body));
    else if (target instanceof Request && target.method !== "GET") {
      target.clone().text().then((text) => show("http", address, text), () => undefined);
    }
    return fetched.apply(this, arguments);
  };

  globalThis.atalaiaSniffer = {
    stop() {
      WebSocket.prototype.send = socketSend;
      XMLHttpRequest.prototype.open = open;
      XMLHttpRequest.prototype.send = requestSend;
      globalThis.fetch = fetched;
      delete globalThis.atalaiaSniffer;
    },
  };
  console.info("Atalaia's sniffer listens. Do the steps now; atalaiaSniffer.stop() ends it.");
})();
