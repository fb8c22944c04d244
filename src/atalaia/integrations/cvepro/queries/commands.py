"""SQL on commands to charge points: any hub gives one, the hub that has the line takes it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from atalaia.integrations.cvepro.model.commands import Action, Command, CommandState
from atalaia.integrations.cvepro.tables import commands
from atalaia.sdk.transaction import Tx

_SHOWN: Final = 5


def add(tx: Tx, new: Command) -> None:
    values = {name: getattr(new, name) for name in Command.__struct_fields__}
    tx.execute(insert(commands).values({**values, "action": str(new.action), "state": str(new.state)}))


def find(tx: Tx, id: str) -> Command | None:
    row = tx.one(select(commands).where(commands.c.id == id))
    return None if row is None else _command(row)


def newest(tx: Tx, box_id: str) -> Sequence[Command]:
    c = commands.c
    question = select(commands).where(c.box_id == box_id, c.action != str(Action.DROP))
    return [_command(row) for row in tx.rows(question.order_by(c.id.desc()).limit(_SHOWN))]


def take(tx: Tx, box_ids: Collection[str], *, now: datetime) -> list[Command]:
    """Those that wait for one of these, oldest first; nobody else gets them."""
    c = commands.c
    waiting = select(commands).where(c.state == str(CommandState.WAITING), c.expires_at > now, c.box_id.in_(box_ids))
    taken = []
    for row in tx.rows(waiting.order_by(c.id)):
        own = update(commands).where(c.id == row.id, c.state == str(CommandState.WAITING))
        if tx.execute(own.values(state=str(CommandState.SENT))):
            taken.append(_command(row))
    return taken


def end(tx: Tx, id: str, state: CommandState, answer: str | None, *, now: datetime) -> None:
    values = {"state": str(state), "answer": answer, "ended_at": now}
    tx.execute(update(commands).where(commands.c.id == id).values(**values))


def forget(tx: Tx, *, before: datetime) -> int:
    return tx.execute(delete(commands).where(commands.c.asked_at < before))


def _command(row: Row[Any]) -> Command:
    return Command(**{**row._asdict(), "action": Action(row.action), "state": CommandState(row.state)})
