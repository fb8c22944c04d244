"""What pages of jobs make of what is kept: frames, words, forms, what is waited for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import Raw

from atalaia.core.errors import InvalidFields
from atalaia.core.translations import Translations
from atalaia.jobs.model.states import STATUS, State
from atalaia.jobs.model.views import JobDetail, JobOut
from atalaia.jobs.pages.frames import departure_of, laid_out
from atalaia.jobs.pages.starting import payload_of
from atalaia.jobs.pages.waiting import reasons_of
from atalaia.jobs.pages.words import STATES, retold
from atalaia.jobs.service.workers import WorkerOut
from atalaia.sdk.fidelity import Departure
from atalaia.sdk.jobs import FormField

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PORTUGUESE = Translations.load().translator("pt-BR")
FORM = (
    FormField("id", "Id", kind="number"),
    FormField("name", "Name"),
    FormField("note", "Note", kind="textarea", is_required=False),
)


def test_a_frame_is_laid_out_with_every_token_as_it_was() -> None:
    raw = '{"a":1.0,"a":1e0,"b":"\\/é\\u00e9","c":[],"d":[true,{"e":null}]}'
    assert laid_out(raw) == (
        '{\n  "a": 1.0,\n  "a": 1e0,\n  "b": "\\/é\\u00e9",\n  "c": [],\n  "d": [\n    true,\n    {\n'
        '      "e": null\n    }\n  ]\n}'
    )


@pytest.mark.parametrize("raw", ["", "no JSON", '{"cut": "of', "*" * 50, "[" * 5_000])
def test_what_is_no_json_is_shown_as_it_is(raw: str) -> None:
    assert laid_out(raw) == raw


@pytest.mark.parametrize(
    "departure",
    [
        Departure("parameters.call_num", "type", 'string "0"', "number 0"),
        Departure("parameters.source", "missing_key", 'string "ui"', "nothing"),
        Departure("parameters.more", "extra_key", "nothing", "number 1"),
        Departure("parameters.tag", "constant", 'string "a"', 'string "b, would not"'),
        Departure("$", "key_order", "key order a, b", "key order b, a"),
        Departure("parameters.name", "escapes", 'string "é"', 'string "\\u00e9"', "the same text, escaped differently"),
        Departure("$", "whitespace", '" "', '""', "whitespace differs"),
    ],
)
def test_a_departure_is_read_back_out_of_its_words(departure: Departure) -> None:
    assert departure_of(str(departure)) == departure


def test_words_that_are_no_departure_are_shown_as_they_are() -> None:
    assert departure_of("a place for tag is not in the form").note == "a place for tag is not in the form"


def test_a_kept_text_is_said_in_the_readers_language_with_its_values() -> None:
    said = retold("get_vehicle_info was refused: 403 action forbidden", PORTUGUESE)
    assert said == "get_vehicle_info foi recusada: 403 action forbidden"
    assert retold("It may or may not have happened", PORTUGUESE) == "It may or may not have happened"
    assert retold("", PORTUGUESE) == ""


def test_every_state_has_a_word_and_a_shape() -> None:
    assert set(STATES) == set(State)


@pytest.mark.parametrize(
    ("typed", "payload"),
    [
        ({"id": "12", "name": "Zé"}, '{"id":12,"name":"Zé"}'),
        ({"id": "1.50", "name": " x "}, '{"id":1.50,"name":"x"}'),
        ({"id": "007", "name": '"'}, '{"id":"007","name":"\\""}'),
        ({"id": "1", "name": "x", "note": "a\r\nb"}, '{"id":1,"name":"x","note":"a\\nb"}'),
    ],
)
def test_a_payload_has_what_was_typed(typed: dict[str, str], payload: str) -> None:
    assert payload_of(FORM, typed) == payload


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidFields) as caught:
        payload_of(FORM, {"id": "seven", "name": "  ", "note": "x" * 2001})
    assert set(caught.value.fields) == {"id", "name", "note"}


def job(state: State, **more: Any) -> JobDetail:
    front_id = more.pop("front_id", None)
    values: dict[str, Any] = {
        "id": "j", "type": "mow", "status": STATUS[state], "payload": Raw(b"{}"), "result": None, "steps": [],
        "attempts": 0, "worker_id": None, "created_at": NOW, "updated_at": NOW, "state": str(state), "error": None,
        "queue": "default", "priority": 0, "run_at": NOW, "unique_key": None, "concurrency_key": None,
        "lost_leases": 0, "max_attempts": 3, "leased_until": None, "is_cancelling": False, "created_by": "x",
    }  # fmt: skip
    return JobDetail(job=JobOut(**(values | more)), steps=[], front_id=front_id, resolve_by=None)


def worker(state: str, *types: str) -> WorkerOut:
    return WorkerOut(
        id="w", incarnation="i", version="1", commit="", types=types or ("mow",), address="-", first_seen_at=NOW,
        seen_at=NOW, running=0, state=state, is_stale=state == "stale",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "workers", "said"),
    [
        (job(State.WAITING), [worker("idle")], "next in line"),
        (job(State.WAITING), [], "No worker takes"),
        (job(State.WAITING), [worker("idle", "other")], "No worker takes"),
        (job(State.WAITING), [worker("stale")], "too old"),
        (job(State.WAITING), [worker("draining")], "draining"),
        (job(State.WAITING), [worker("silent")], "silent"),
        (job(State.WAITING, front_id="k"), [], "Another job"),
        (job(State.RETRYING, run_at=NOW + timedelta(seconds=9)), [worker("idle")], "next try"),
        (job(State.SNOOZED, run_at=NOW + timedelta(seconds=9)), [worker("idle")], "put off"),
        (job(State.RESOLVING), [worker("idle")], "find out"),
        (job(State.LEASED, is_cancelling=True), [], "Cancelling"),
    ],
)
def test_what_a_job_waits_for_is_said_first(detail: JobDetail, workers: Sequence[WorkerOut], said: str) -> None:
    reasons = reasons_of(detail, now=NOW, workers=workers, job_type=None, upstream=None)
    assert said in reasons[0].text


@pytest.mark.parametrize("state", [State.LEASED, State.SUCCEEDED, State.DEAD, State.UNKNOWN])
def test_what_runs_or_has_ended_waits_for_nothing(state: State) -> None:
    assert reasons_of(job(state), now=NOW, workers=[], job_type=None, upstream=None) == []
