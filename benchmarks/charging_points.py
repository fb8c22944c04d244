"""200 charge points connected straight by OCPP 1.6-J: how long an answer takes, what the hub spends, and how much one core carries.

Each has a session under way and tells its meter's values each 30 s, as is usual; then ten times as often; then as soon as
the last ones are answered. An answer goes out after the commit of what was told.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, percentile
from benchmarks.hub import BenchHub, cpu_s, resident_bytes, running_hub
from benchmarks.points import Garage, Pace, Plan, Told

POINTS = 200
EVERY_S, OFTEN = 30.0, 10
IDLE_S, SECONDS, FULL_S = 10.0, 30.0, 10.0
MOST_S = 0.1
NAME = f"{POINTS} charge points by OCPP"


@dataclass(frozen=True, slots=True)
class Paced:
    """`share` of a core."""

    told: Told
    share: float
    seconds: float

    @property
    def p99_s(self) -> float:
        return percentile(self.told.waits_s, 0.99)

    @property
    def per_s(self) -> float:
        return len(self.told.waits_s) / self.seconds


def run() -> Sequence[Figure]:
    with running_hub(settings={"ATALAIA_CVEPRO_OCPP_ADMISSION": "open", "ATALAIA_LOG_LEVEL": "ERROR"}) as hub:
        idle_bytes, began, spent_s = resident_bytes(hub.pid), time.monotonic(), cpu_s(hub.pid)
        time.sleep(IDLE_S)
        idle = (cpu_s(hub.pid) - spent_s) / (time.monotonic() - began)
        garage = Garage(Plan(hub.port, POINTS))
        try:
            usual = _paced(hub, garage, EVERY_S, SECONDS)
            often = _paced(hub, garage, EVERY_S / OFTEN, FULL_S)
            full = _paced(hub, garage, 0.0, FULL_S)
        finally:
            garage.end()
        return _figures(usual, often, full, idle=idle, sizes=(idle_bytes, resident_bytes(hub.pid)))


def _paced(hub: BenchHub, garage: Garage, every_s: float, seconds: float) -> Paced:
    began, spent_s = time.monotonic(), cpu_s(hub.pid)
    told = garage.tell(Pace(every_s, seconds))
    took_s = time.monotonic() - began
    return Paced(told, (cpu_s(hub.pid) - spent_s) / took_s, took_s)


def _figures(usual: Paced, often: Paced, full: Paced, *, idle: float, sizes: tuple[int, int]) -> Sequence[Figure]:
    before, after = sizes
    failed = sum(each.told.failed for each in (usual, often, full))
    note = f"median {percentile(usual.told.waits_s, 0.5) * 1000:.1f} ms; {len(usual.told.waits_s)} messages, {failed} failed"
    often_note = (
        f"{OFTEN} times as often, {often.per_s:.0f}/s; median {percentile(often.told.waits_s, 0.5) * 1000:.1f} ms"
    )
    full_note = f"each as soon as it is answered; p99 {full.p99_s * 1000:.0f} ms, {full.share:.0%} of a core"
    return [
        Figure(f"{NAME}, values each {EVERY_S:g} s: answer", usual.p99_s * 1000, "ms p99", target=f"≤ {MOST_S * 1000:g} ms",
               met=usual.p99_s <= MOST_S and not failed, note=note),
        Figure(f"{NAME}, values each {EVERY_S:g} s: CPU", usual.share * 100, "% of a core", idle * 100, usual.share / idle,
               note="beside: the same hub with none connected"),
        Figure(f"{NAME}, values each {EVERY_S / OFTEN:g} s: answer", often.p99_s * 1000, "ms p99", note=often_note),
        Figure(f"{NAME}: as many values as one core carries", full.per_s, "messages/s", POINTS / EVERY_S,
               full.per_s / (POINTS / EVERY_S), note=full_note),
        Figure(f"{NAME}: memory", after / 1e6, "MB resident", before / 1e6, after / before, note="beside: before they came"),
    ]  # fmt: skip
