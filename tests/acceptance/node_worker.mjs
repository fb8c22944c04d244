// A worker written from docs/guides/workers.md alone: node node_worker.mjs HUB KEY NAME TTL_S
import { appendFileSync } from "node:fs";
import { randomUUID } from "node:crypto";

const [hub, key, name, ttl] = process.argv.slice(2);
const incarnation = randomUUID();
const held = new Map(); // id -> { token, steps, abort }
let draining = false;
process.on("SIGTERM", () => (draining = true));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function post(path, body) {
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
      const answer = await fetch(hub + path, { method: "POST", headers, body: JSON.stringify(body) });
      if (answer.status < 500 && answer.status !== 429) return [answer.status, await answer.text(), answer.headers];
    } catch { /* the hub is away: everything here is safe to send again */ }
    await sleep(pause);
  }
}

async function renew() {
  const items = [...held].map(([id, job]) => ({ id, token: job.token, steps: [...job.steps] }));
  if (!items.length) return new Map();
  const [status, text] = await post("/api/leases/renew", { worker_id: name, items });
  if (status !== 200) throw new Error(text);
  const said = JSON.parse(text);
  if (said.worker !== "run") draining = true;
  for (const item of said.items) if (item.state !== "ok") held.get(item.id)?.abort.abort(item.state);
  return new Map(said.items.map((item) => [item.id, item.state]));
}

const work = {
  async note(payload, job) { // an effect that can't be undone: said before it is done
    job.steps.push({ n: 1, name: "write", state: "irreversible" });
    if ((await renew()).get(job.id) !== "ok") throw new Error("not acknowledged");
    appendFileSync(payload.file, `${job.id}\n`);
    job.steps.push({ n: 1, name: "write", state: "done" });
  },
  async slow(payload, job) {
    for (let left = payload.ms; left > 0 && !job.abort.signal.aborted; left -= 20) await sleep(20);
  },
};

async function perform(given) {
  const job = { id: given.id, token: given.token, steps: [], abort: new AbortController() };
  held.set(given.id, job);
  let said = { outcome: "succeeded", result: { by: name } };
  try {
    await work[given.type](JSON.parse(given.payload_raw), job);
  } catch (error) {
    said = { outcome: "failed", error: { class: "failed", message: String(error), retryable: true } };
  }
  if (job.abort.signal.reason === "cancel") said = { outcome: "cancelled" };
  held.delete(given.id);
  if (job.abort.signal.reason === "lost") return; // another has it: not a word more
  await post(`/api/jobs/${given.id}/complete`, { token: given.token, ...said, steps: job.steps });
}

const beat = setInterval(() => renew().catch(() => {}), (ttl * 1000) / 3);
const running = new Set();
while (!draining) {
  const asked = { worker_id: name, incarnation, types: Object.keys(work), max: 4, wait_s: 2, ttl_s: Number(ttl), version: "1.0", request_id: randomUUID() };
  const [status, text, headers] = await post("/api/leases", asked);
  if (headers.get("x-atalaia-worker")) draining = true;
  for (const given of status === 200 ? JSON.parse(text).jobs : []) {
    const done = perform(given).finally(() => running.delete(done));
    running.add(done);
  }
  if (running.size >= 4) await Promise.race(running);
}
await Promise.all(running);
clearInterval(beat);
