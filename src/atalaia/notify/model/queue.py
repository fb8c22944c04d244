"""Which waiting messages go out now: many at once, a bounded number per channel, an incident's in their order."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from atalaia.notify.model.notice import MessageEvent

PER_CHANNEL = 8
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row of the outbox. Rows with one `message_id` are one message.

    `seq` is given by the store, and not by a clock that may jump: it alone says what comes first.
    """

    id: str
    message_id: str
    channel_id: str
    incident_id: str
    notice_id: str
    event: str
    queued_at: datetime
    due_at: datetime
    attempts: int
    may_join: bool  # not yet tried, and may go as one with others of its channel
    seq: int = 0
    progress: Mapping[str, str] | None = None  # model.progress, the same in all rows of a message

    def is_set_for_later(self, now: datetime) -> bool:
        """A message to an address that is for a later time on purpose holds up nothing that is due before."""
        return self.event == MessageEvent.DIRECT and _is_fresh(self) and self.due_at > now


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    rows: tuple[Waiting, ...]

    @property
    def first(self) -> Waiting:
        return self.rows[0]

    @property
    def channel_id(self) -> str:
        return self.rows[0].channel_id

    @property
    def is_shared(self) -> bool:
        """Not yet tried, and one that goes with others: those that it was joined with, or those that may still come."""
        return _is_fresh(self.first) and (self.first.may_join or len(self.rows) > 1)

    @property
    def keys(self) -> set[tuple[str, str]]:
        return {(row.channel_id, row.incident_id) for row in self.rows}


def gather_messages(rows: Iterable[Waiting]) -> list[Message]:
    """Oldest first."""
    found: dict[str, list[Waiting]] = {}
    for row in sorted(rows, key=lambda row: row.seq):
        found.setdefault(row.message_id, []).append(row)
    return [Message(id_, tuple(members)) for id_, members in found.items()]


def pick_due(
    messages: Sequence[Message],
    *,
    now: datetime,
    in_flight: Iterable[Message],
    room: int = AT_ONCE,
    full: Collection[str] = (),
    may_gather: bool = True,
) -> list[Message]:
    """Those that may go now. An incident's later message waits for its earlier one, on each channel by itself.

    `may_gather`: of those that go with others one at a time leaves for a channel, and to a `full` channel only what was joined
    before; the rest gathers meanwhile, to be joined.
    """
    flying = list(in_flight)
    shared = {_stream(message) for message in flying if message.is_shared}
    flying_ids = {message.id for message in flying}
    per_channel = Counter(message.channel_id for message in flying)
    blocked = {key for message in flying for key in message.keys}
    picked: list[Message] = []
    for message in messages:
        if message.id in flying_ids or message.first.is_set_for_later(now):
            continue
        is_free = not (message.keys & blocked) and per_channel[message.channel_id] < PER_CHANNEL
        if may_gather and message.is_shared:
            is_alone = len(message.rows) == 1
            is_free = is_free and _stream(message) not in shared and not (is_alone and message.channel_id in full)
        blocked |= message.keys
        if is_free and message.first.due_at <= now and len(picked) + len(flying) < room:
            picked.append(message)
            if message.is_shared:
                shared.add(_stream(message))
            per_channel[message.channel_id] += 1
    return picked


def joinable(
    messages: Sequence[Message], *, now: datetime, in_flight: Iterable[Message] = (), full: Collection[str] = ()
) -> list[list[str]]:
    """Rows that are due, not yet tried, and may go as one: lists of two or more row ids, the oldest first.

    None of a `full` channel, or of one where such a message is under way: there more may still come.

    A row whose incident has an earlier message still waiting keeps its own place.
    """
    flying = list(in_flight)
    shared = {_stream(message) for message in flying if message.is_shared}
    seen = {key for message in flying for key in message.keys}
    groups: dict[tuple[str, str], list[str]] = {}
    for message in messages:
        row = message.first
        is_next = not (message.keys & seen)
        seen |= message.keys
        if (
            is_next
            and len(message.rows) == 1
            and _is_untried(row)
            and row.due_at <= now
            and not (message.channel_id in full or _stream(message) in shared)
        ):
            groups.setdefault((row.channel_id, row.event), []).append(row.id)
    return [ids for ids in groups.values() if len(ids) > 1]


def _stream(message: Message) -> tuple[str, str]:
    return message.channel_id, message.first.event


def _is_untried(row: Waiting) -> bool:
    return row.may_join and _is_fresh(row)


def _is_fresh(row: Waiting) -> bool:
    return row.attempts == 0 and row.progress is None
