"""Importing a file of residents: read and kept for a while, shown row by row, and written only when a person says so.

What was shown is exactly what is written: the two have one digest, and where it is another by now it is shown anew.
"""

import asyncio
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from atalaia.core.errors import Conflict, NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.enrolling import RowPlan, RowState, planned
from atalaia.integrations.cvepro.model.residents import Resident, Tag
from atalaia.integrations.cvepro.model.rosters import Roster
from atalaia.integrations.cvepro.queries import enrolling as queries
from atalaia.integrations.cvepro.queries import register
from atalaia.integrations.cvepro.queries.enrolling import Waiting
from atalaia.integrations.cvepro.service.notices import withdraw
from atalaia.integrations.cvepro.service.residents import BOARD_TOPIC, TOPIC, By
from atalaia.integrations.cvepro.service.rosters import read_file
from atalaia.sdk.contribution import Loop
from atalaia.sdk.files import Upload
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

LIFE: Final = timedelta(hours=2)
_PERIOD_S: Final = 600.0
_KIND: Final = "application/json"
# A spreadsheet takes a text that begins with one of these for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"  # without it spreadsheets read the bytes as an older encoding


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`digest` names what would be written, whatever of it is shown."""

    waiting: Waiting
    roster: Roster
    rows: Sequence[RowPlan]
    digest: str

    @property
    def counts(self) -> Counter[str]:
        return Counter(str(each.state) for each in self.rows)


class Enrolling:
    def __init__(self, host: Host) -> None:
        self._host = host

    def loop(self) -> Loop:
        return Loop("cvepro_rosters", _PERIOD_S, self.forget)

    async def take(self, upload: Upload | None, *, may_move: bool, by: By) -> str:
        """Keep a file for a preview; its id. Raises: InvalidField."""
        roster = await asyncio.to_thread(read_file, upload.content if upload else b"")
        now = self._host.clock.now()

        def unit(tx: Tx) -> str:
            name = _shown_name(upload.name if upload else "")
            kept = self._host.files.keep(tx, name=name, media_type=_KIND, content=msgspec.json.encode(roster))
            new = Waiting(
                id=new_id(),
                file_id=kept.id,
                name=name,
                may_move=may_move,
                created_by=by.principal.name,
                created_at=now,
                expires_at=now + LIFE,
            )
            queries.add(tx, new)
            return new.id

        return await self._host.write(unit)

    async def look(self, id: str) -> Preview:
        """Raises: NotFound."""
        return await self._host.read(lambda tx: self._preview(tx, id))

    async def carry_out(self, id: str, digest: str, *, by: By) -> None:
        """All of it in one commit. Raises: NotFound, Conflict: what would be written is not what was shown."""

        def unit(tx: Tx) -> None:
            register.lock(tx)
            preview = self._preview(tx, id)
            if preview.waiting.done_at is not None:
                return  # sent twice
            if preview.digest != digest:
                raise Conflict(N_("Residents were changed meanwhile: please look at it again."))
            self._write(tx, preview.rows)
            counts = {state: n for state, n in preview.counts.items() if n}
            queries.finish(tx, id, counts=counts, at=self._host.clock.now())
            details = {"file": preview.waiting.name, **counts}
            target = f"cvepro_roster:{id}"
            action = "cvepro.residents_imported"
            self._host.audit(tx, by=by.principal, action=action, target=target, client=by.client, **details)
            for topic in (TOPIC, BOARD_TOPIC):
                tx.publish(topic)

        await self._host.write(unit)

    async def drop(self, id: str) -> None:
        await self._host.write(lambda tx: self._forget(tx, queries.find(tx, id) if id.isprintable() else None))

    async def forget(self) -> None:
        """Files whose time is over."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> None:
            for each in queries.expired(tx, now):
                self._forget(tx, each)

        await self._host.write(unit)

    async def refused(self, id: str, say: Callable[..., str]) -> bytes:
        """The rows that are left out, as CSV, with why; `say` translates. Raises: NotFound."""
        preview = await self.look(id)
        return _written(preview, say)

    def _preview(self, tx: Tx, id: str) -> Preview:
        waiting = queries.find(tx, id) if id.isprintable() else None
        content = None if waiting is None else self._host.files.read(tx, waiting.file_id)
        if waiting is None or content is None or waiting.expires_at <= self._host.clock.now():
            raise NotFound(N_("This file is not kept any more: upload it again."))
        roster = msgspec.json.decode(content, type=Roster)
        rows = planned(roster, register.everybody(tx), register.held_tags(tx), may_move=waiting.may_move)
        digest = hashlib.sha256(msgspec.json.encode(rows)).hexdigest()
        return Preview(waiting=waiting, roster=roster, rows=rows, digest=digest)

    def _write(self, tx: Tx, rows: Sequence[RowPlan]) -> None:
        now = self._host.clock.now()
        kept = {each.id: each for each in register.everybody(tx)}
        ids = {each.key: new_id() for each in rows if each.state is RowState.NEW}
        people: dict[str, Resident] = {}
        for row in rows:
            if row.state not in {RowState.NEW, RowState.CHANGED}:
                continue
            id_ = ids.get(row.key, row.key)
            former = people.get(id_) or kept.get(id_)
            people[id_] = _changed(former, row.values, now) if former else _new(id_, row, now)
        register.add_all(tx, [each for id_, each in people.items() if id_ not in kept])
        for id_ in people.keys() & kept.keys():
            register.keep(tx, kept[id_], people[id_])
            if kept[id_].opted_in_at is not None and people[id_].opted_in_at is None:
                withdraw(self._host, tx, id_)
        self._write_tags(tx, rows, ids, now)

    def _write_tags(self, tx: Tx, rows: Sequence[RowPlan], ids: Mapping[str, str], now: datetime) -> None:
        held = {each.tag: each for each in register.held_tags(tx)}
        known = register.known_tags(tx)
        new = []
        for row in rows:
            for tag in row.tags:
                if tag in held:
                    register.end_tag(tx, held[tag].id, at=now)
                owner = ids.get(row.key, row.key)
                new.append(Tag(id=new_id(), tag=tag, resident_id=owner, since_at=now if tag in known else None))
        register.add_tags(tx, new)

    def _forget(self, tx: Tx, waiting: Waiting | None) -> None:
        if waiting is not None:
            self._host.files.drop(tx, waiting.file_id)
            queries.drop(tx, waiting.id)


def _new(id: str, row: RowPlan, now: datetime) -> Resident:
    values: dict[str, Any] = dict(row.values)
    return Resident(id=id, **values, created_at=now, changed_at=now)


def _changed(former: Resident, values: Mapping[str, str | None], now: datetime) -> Resident:
    changes: dict[str, Any] = {**values, "changed_at": now}
    if "phone" in values and former.phone is not None:
        changes["opted_in_at"] = None  # consent was given for that number
    if "flat" in values:
        changes["flat_since_at"] = now
    return msgspec.structs.replace(former, **changes)


def _shown_name(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[-120:] or "?"


def _written(preview: Preview, say: Callable[..., str]) -> bytes:
    """As Excel in Brazil opens it."""
    rows = {each.line: each for each in preview.roster.rows}
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([say("Line"), say("Why"), *map(_harmless, preview.roster.headings)])
    for plan in preview.rows:
        if plan.problem is not None:
            why = say(plan.problem.text, **plan.problem.params)
            writer.writerow([plan.line, _harmless(why), *map(_harmless, rows[plan.line].cells)])
    return (_BOM + out.getvalue()).encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
