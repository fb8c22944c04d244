"""Its own control under `/_sim`: what was asked, faults, transactions put in, a past, and what really was."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from atalaia_simulators.cvepro.answers import plain
from atalaia_simulators.cvepro.faults import Faults
from atalaia_simulators.cvepro.history import BadHistory
from atalaia_simulators.cvepro.lists import Lists
from atalaia_simulators.cvepro.live import Doorbell
from atalaia_simulators.cvepro.site import Site
from atalaia_simulators.faults import BadFault
from atalaia_simulators.log import Log


class Control:
    """`forget_tokens`: no token that was given out is good any more."""

    def __init__(
        self,
        site: Site,
        faults: Faults,
        *,
        log: Log,
        lists: Lists,
        doorbell: Doorbell,
        forget_tokens: Callable[[], None],
    ) -> None:
        self._site = site
        self._faults = faults
        self._log = log
        self._lists = lists
        self._doorbell = doorbell
        self._forget_tokens = forget_tokens

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/log", self._show_log),
            web.get("/_sim/faults", self._show_faults),
            web.post("/_sim/faults", self._change_faults),
            web.post("/_sim/transactions", self._put_transactions),
            web.post("/_sim/statuses", self._set_statuses),
            web.post("/_sim/history", self._set_history),
            web.get("/_sim/records", self._show_records),
            web.post("/_sim/ring", self._ring),
            web.post("/_sim/reset", self._reset),
        ]

    async def _show_log(self, _request: web.Request) -> web.Response:
        return plain(list(self._log.entries))

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return plain({"on": self._faults.shown(), "known": self._faults.known()})

    async def _change_faults(self, request: web.Request) -> web.Response:
        try:
            self._faults.change(json.loads(await request.read()))
        except (ValueError, BadFault) as error:
            return _refused(error)
        if self._faults.strike("expire_token"):
            self._forget_tokens()
            self._faults.change({"expire_token": None})
        if self._faults.strike("live_cut"):
            self._doorbell.cut()
            self._faults.change({"live_cut": None})
        return plain(self._faults.shown())

    async def _put_transactions(self, request: web.Request) -> web.Response:
        """One, or a list, as the vendor says them; a transaction of the day can be changed by its `id`."""
        try:
            given = json.loads(await request.read())
            rows = given if isinstance(given, list) else [given]
            found = {row["id"]: row for row in rows}
        except (ValueError, KeyError, TypeError) as error:
            return plain({"error": f"transactions have an id: {error}"}, status=HTTPStatus.BAD_REQUEST)
        self._site.extra.update(found)
        return plain({"kept": len(found)})

    async def _set_statuses(self, request: web.Request) -> web.Response:
        """`{"CVE-004": "SuspendedEV"}`; null is their own again."""
        try:
            given = json.loads(await request.read())
            self._site.set_statuses(given)
        except (ValueError, AttributeError, TypeError) as error:
            return plain({"error": f"words by charger: {error}"}, status=HTTPStatus.BAD_REQUEST)
        return plain({box_id: word for box_id, (word, _) in self._site.statuses.items()})

    async def _set_history(self, request: web.Request) -> web.Response:
        """`{}` is one of 100,000 sessions over a year; `null` takes it away."""
        try:
            given = json.loads(await request.read())
            self._site.set_history(given)
        except (ValueError, BadHistory) as error:
            return _refused(error)
        return plain(_span(self._site))

    async def _show_records(self, request: web.Request) -> web.Response:
        """Of days from `from` until `to`, both included; without them of the past that was made, or of two days."""
        span = {**_span(self._site), **request.query}
        try:
            first, last = date.fromisoformat(span["from"]), date.fromisoformat(span["to"])
        except ValueError as error:
            return _refused(error)
        found = self._lists.records(first, last)
        return plain({"from": span["from"], "to": span["to"], "count": len(found), "records": found})

    async def _ring(self, request: web.Request) -> web.Response:
        """`{"times": n}`: so many messages on the live connections at once."""
        given: Any = json.loads(await request.read() or b"{}")
        told = await self._doorbell.ring(times=int(given.get("times", 1)))
        return plain({"connections": told})

    async def _reset(self, _request: web.Request) -> web.Response:
        self._faults.change({})
        self._site.extra.clear()
        self._site.statuses.clear()
        self._site.set_history(self._site.options.history)
        self._log.clear()
        return plain({})


def _span(site: Site) -> dict[str, str]:
    if site.history is None:
        return {"from": (site.today() - timedelta(days=1)).isoformat(), "to": site.today().isoformat()}
    return {"from": site.history.first.isoformat(), "to": (site.history.end - timedelta(days=1)).isoformat()}


def _refused(error: Exception) -> web.Response:
    return plain({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
