"""What it gives to the hub."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from atalaia.core.errors import InvalidField
from atalaia.core.ids import new_id
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import HealthItem, Loop, NavItem
from atalaia.sdk.integration import EventStream, Host, Offer, Page, Reply, Request, Route, View
from atalaia.sdk.transaction import Tx

from . import tides
from .manifest import MANIFEST
from .tables import metadata, readings
from .work import JOB_TYPES, Gate


class Tidewatch:
    manifest = MANIFEST
    folder = Path(__file__).parent
    upstreams = (tides.DECLARATION,)
    job_types = JOB_TYPES

    def setup(self, host: Host) -> Offer:
        desk = Desk(host)
        return Offer(
            routes=(
                Route("GET", "/api/tidewatch/level", Permission.CHECKS_READ, desk.level),
                Route("GET", "/api/tidewatch/readings/{reading_id}", Permission.CHECKS_READ, desk.reading),
                Route("GET", "/api/tidewatch/counting", Permission.CHECKS_READ, desk.counting),
                Route(
                    "POST",
                    "/api/tidewatch/gates",
                    Permission.JOBS_CREATE,
                    desk.order,
                    keyless_networks="open_networks",
                    document={
                        "summary": "Order the gate to a position",
                        "responses": {"202": {"description": "Ordered"}},
                    },
                ),
            ),
            pages=(Page("/tidewatch", Permission.CHECKS_READ, desk.show, desk.submit),),
            nav=(NavItem("connect", N_("Tides"), "/tidewatch", Permission.CHECKS_READ),),
            loops=(Loop("tidewatch-readings", 60.0, desk.collect),),
            health=(HealthItem("tides", lambda: True, degrades=False),),
            metadata=metadata,
        )


class Desk:
    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def _is_ready(self) -> bool:
        return MANIFEST.is_configured(self._host.setting)

    async def level(self, request: Request) -> Reply:  # noqa: ARG002 - a route's form
        upstream = self._host.upstream("tidewatch")

        async def fetch() -> float:
            return await tides.level_of(upstream, self._host.setting("url"))

        cached = await upstream.cached("level", fetch, fresh_s=0.0, stale_s=300.0)
        return Reply({"level_m": cached.value, "is_stale": cached.is_stale})

    async def reading(self, request: Request) -> Reply:
        def unit(tx: Tx) -> float | None:
            found: float | None = tx.value(
                select(readings.c.level_m).where(readings.c.id == request.path_params["reading_id"])
            )
            return found

        return Reply({"level_m": await self._host.read(unit)})

    async def counting(self, request: Request) -> EventStream:  # noqa: ARG002 - a route's form
        return EventStream(_count())

    async def order(self, request: Request) -> Reply:
        gate = request.json(Gate)
        if gate.position not in range(101):
            raise InvalidField("position", N_("between 0 and 100"))
        made = await self._host.enqueue(
            "tide_gate", msgspec.json.encode(gate).decode(), by=request.principal, unique_key=gate.order
        )
        return Reply({"id": made.id, "events": self._host.events_ticket(made.id)}, status=202)

    async def show(self, request: Request) -> View:
        return View("tidewatch/tides.html", N_("Tides"), {"who": request.principal.name, "errors": {}})

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        if not form.get("level_m", "").replace(".", "", 1).isdigit():
            errors = {"level_m": "level_m"}
            return View("tidewatch/tides.html", N_("Tides"), {"who": request.principal.name, "errors": errors})
        await self._keep(float(form["level_m"]), request)
        return "/tidewatch"

    async def collect(self) -> None:
        if self._is_ready:
            await self._keep(await tides.level_of(self._host.upstream("tidewatch"), self._host.setting("url")), None)

    async def _keep(self, level_m: float, request: Request | None) -> None:
        now = self._host.clock.now()
        row: dict[str, Any] = {"id": new_id(), "level_m": level_m, "at": now}

        def unit(tx: Tx) -> None:
            tx.insert(readings, [row])
            if request is not None:
                self._host.audit(
                    tx, by=request.principal, action="tide.noted", target=f"reading:{row['id']}", client=request.client
                )

        await self._host.write(unit)
        self._host.publish("tides")


async def _count() -> AsyncIterator[tuple[str, Any]]:
    for number in range(3):
        yield "tick", {"number": number}
