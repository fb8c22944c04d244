// Marks on a picture, placed by a click, by dragging, or by the arrow keys; what is sent are the two fields of each, in percent.
const STEP = 1;
const FINE_STEP = 0.2;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const within = (value) => Math.min(100, Math.max(0, Math.round(value * 10) / 10));

const mount = (form) => {
  const plane = form.querySelector("[data-plane]");
  const rows = new Map([...form.querySelectorAll("[data-place]")].map((row) => [row.dataset.place, row]));
  const spots = new Map([...plane.querySelectorAll("[data-spot]")].map((spot) => [spot.dataset.spot, spot]));
  const fields = (key) => [...rows.get(key).querySelectorAll("input[type=number]")];
  const radio = (key) => rows.get(key).querySelector("input[type=radio]");
  const isPlaced = (key) => fields(key).every((field) => field.value !== "" && field.checkValidity());

  const draw = (key) => {
    const spot = spots.get(key);
    const { width, height } = plane.viewBox.baseVal;
    spot.toggleAttribute("hidden", !isPlaced(key));
    spot.setAttribute("display", isPlaced(key) ? "inline" : "none");
    const [x, y] = fields(key).map((field) => Number(field.value));
    spot.setAttribute("transform", `translate(${(x * width) / 100} ${(y * height) / 100})`);
  };

  const place = (key, x, y) => {
    const [left, above] = fields(key);
    left.value = within(x);
    above.value = within(y);
    draw(key);
  };

  const at = (event) => {
    const box = plane.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 100, ((event.clientY - box.top) / box.height) * 100];
  };

  const pickNext = (key) => {
    const keys = [...rows.keys()];
    const later = [...keys.slice(keys.indexOf(key) + 1), ...keys];
    radio(later.find((each) => !isPlaced(each)) ?? key).checked = true;
  };

  let dragged = null;
  plane.addEventListener("pointerdown", (event) => {
    const spot = event.target.closest("[data-spot]");
    if (!spot || event.button !== 0) return;
    dragged = spot.dataset.spot;
    spot.setPointerCapture(event.pointerId);
    spot.focus();
    event.preventDefault();
  });
  plane.addEventListener("pointermove", (event) => { if (dragged !== null) place(dragged, ...at(event)); });
  plane.addEventListener("pointerup", () => { dragged = null; });
  plane.addEventListener("pointercancel", () => { dragged = null; });
  plane.addEventListener("click", (event) => {
    const chosen = form.querySelector("input[name=pick]:checked")?.value;
    if (chosen === undefined || event.target.closest("[data-spot]")) return;
    place(chosen, ...at(event));
    pickNext(chosen);
  });
  plane.addEventListener("keydown", (event) => {
    const spot = event.target.closest("[data-spot]");
    const move = KEYS[event.key];
    if (!spot || !move) return;
    event.preventDefault();
    const step = event.shiftKey ? FINE_STEP : STEP;
    const [x, y] = fields(spot.dataset.spot).map((field) => Number(field.value));
    place(spot.dataset.spot, x + move[0] * step, y + move[1] * step);
  });

  for (const [key, row] of rows) {
    row.addEventListener("input", () => draw(key));
    draw(key);
  }
  for (const element of form.querySelectorAll("[data-with-script]")) element.hidden = false;
  const first = [...rows.keys()].find((key) => !isPlaced(key));
  if (first !== undefined) radio(first).checked = true;
};

export const mountPlacing = (root) => {
  for (const form of root.querySelectorAll("[data-placing]")) mount(form);
};
