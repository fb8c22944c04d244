from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from atalaia.notify.model.queue import PER_CHANNEL, Message, Waiting, gather_messages, joinable, pick_due
from atalaia.notify.model.storm import AT_MOST, LATELY_S, Lately
from tests.unit.notify.samples import NOW


def _row(
    number: int, *, channel: str = "c", incident: str = "i", due_in_s: int = 0, message: str | None = None
) -> Waiting:
    return Waiting(
        id=f"{number:04}",
        message_id=message or f"{number:04}",
        channel_id=channel,
        incident_id=incident,
        notice_id="n",
        event="incident.opened",
        queued_at=NOW,
        due_at=NOW + timedelta(seconds=due_in_s),
        attempts=0,
        may_join=False,
        seq=number,
    )


def _pick(rows: Iterable[Waiting], in_flight: Iterable[Message] = ()) -> list[str]:
    return [message.id for message in pick_due(gather_messages(rows), now=NOW, in_flight=in_flight)]


def test_a_recovery_waits_for_the_opening_that_is_still_being_tried() -> None:
    assert _pick([_row(1, due_in_s=60), _row(2)]) == []
    assert _pick([_row(1), _row(2)]) == ["0001"]
    assert _pick([_row(1), _row(2)], gather_messages([_row(1)])) == []


def test_another_channel_or_incident_does_not_wait() -> None:
    assert _pick([_row(1, due_in_s=60), _row(2, channel="d"), _row(3, incident="j")]) == ["0002", "0003"]


def test_one_channel_can_not_take_all_the_room() -> None:
    rows = [_row(n, incident=f"i{n}") for n in range(PER_CHANNEL + 5)]
    assert len(_pick(rows)) == PER_CHANNEL
    assert _pick([*rows, _row(99, channel="d")])[-1] == "0099"


def test_rows_of_one_message_go_as_one() -> None:
    rows = [_row(1, message="0001"), _row(2, message="0001", incident="j"), _row(3, incident="j")]
    assert _pick(rows) == ["0001"]


def _shared(number: int, *, channel: str = "c", message: str | None = None) -> Waiting:
    return replace(_row(number, channel=channel, incident=f"i{number}", message=message), may_join=message is None)


def test_of_those_that_go_with_others_one_at_a_time_leaves_and_the_rest_gathers() -> None:
    rows = [_shared(1), _shared(2), _shared(3, channel="d"), _row(4, incident="own")]
    assert _pick(rows) == ["0001", "0003", "0004"]
    flying = gather_messages([_shared(9, message="both"), _shared(10, message="both")])
    assert _pick(rows, flying) == ["0003", "0004"]
    assert joinable(gather_messages(rows), now=NOW, in_flight=flying) == []
    assert joinable(gather_messages(rows), now=NOW) == [["0001", "0002"]]


def test_what_could_not_be_joined_goes_by_itself() -> None:
    messages = gather_messages([_shared(1), _shared(2)])
    assert len(pick_due(messages, now=NOW, in_flight=(), full={"c"}, may_gather=False)) == 2


def test_to_a_channel_that_had_many_lately_only_what_was_joined_before_goes() -> None:
    messages = gather_messages([_shared(1, message="a"), _shared(2, message="a"), _shared(3), _row(4, incident="own")])
    assert [each.id for each in pick_due(messages, now=NOW, in_flight=(), full={"c"})] == ["a", "0004"]
    alone = gather_messages([_shared(5), _shared(6)])
    assert pick_due(alone, now=NOW, in_flight=(), full={"c"}) == []
    assert joinable(alone, now=NOW, full={"c"}) == []


def test_a_channel_has_room_again_a_minute_after_the_first_of_many() -> None:
    lately = Lately()
    for second in range(AT_MOST):
        assert lately.full(now_s=second) == {}
        lately.note("c", at_s=second)
    assert lately.full(now_s=10) == {"c": LATELY_S - 10}
    assert lately.full(now_s=LATELY_S) == {}
    lately.note("c", at_s=LATELY_S)
    assert lately.full(now_s=LATELY_S) == {"c": 1}
    assert lately.full(now_s=3 * LATELY_S) == {}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([0, 60])), max_size=60))
def test_for_every_incident_and_channel_messages_go_one_after_another(spec: list[tuple[str, str, int]]) -> None:
    rows = [_row(n, channel=c, incident=i, due_in_s=due) for n, (c, i, due) in enumerate(spec)]
    by_id = {row.id: row for row in rows}
    for picked in _pick(rows):
        row = by_id[picked]
        assert all(
            other.id >= row.id
            for other in rows
            if (other.channel_id, other.incident_id) == (row.channel_id, row.incident_id)
        )
