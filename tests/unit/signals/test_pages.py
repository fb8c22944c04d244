"""How a signal stands in the words of its pages, what is pasted, and what its form means."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from atalaia.core.errors import InvalidField
from atalaia.signals.model.rate import Level, Rate
from atalaia.signals.model.signals import JobOptions, LastAnswer, SignalOut, WebhookOptions
from atalaia.signals.pages.sending import lines_of
from atalaia.signals.pages.signal_form import NEW, change_of, field_of, new_of, typed_values, values_of
from atalaia.signals.pages.standing import standing_of

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FORM = NEW | {"name": "watch", "task": "test.look"}


def signal(**changes: Any) -> SignalOut:
    plain = SignalOut(
        name="watch",
        task="test.look",
        task_title="Look",
        is_known=True,
        min_interval_s=1.5,
        expect_every_s=None,
        cron=None,
        timezone="America/Sao_Paulo",
        runs_missed=False,
        is_paused=False,
        job=None,
        url=None,
        command=None,
        next_at=None,
        last_slot_at=None,
        created_at=AT,
        updated_at=AT,
        level=Level.WELL,
        rate=Rate(answered=0, expected=0, ratio=None, level=Level.UNKNOWN),
        failures=0,
        last_answer=LastAnswer(202, AT),
        last_started_at=AT,
        running=None,
        last_run=None,
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "up"),
        ({"is_known": False}, "down"),
        ({"level": Level.FAILING}, "down"),
        ({"failures": 2}, "down"),
        ({"failures": 1}, "degraded"),
        ({"level": Level.DEGRADED}, "degraded"),
        ({"last_answer": LastAnswer(401, AT)}, "degraded"),
        ({"level": Level.FAILING, "is_paused": True}, "paused"),
        ({"last_answer": None, "last_started_at": None}, "unknown"),
        ({"last_answer": None, "last_started_at": None, "cron": "* * * * *"}, "unknown"),
        ({"last_answer": None, "cron": "* * * * *"}, "up"),
        ({"last_answer": LastAnswer(429, AT), "level": Level.UNKNOWN}, "up"),
    ],
)
def test_the_worst_that_can_be_said_of_a_signal_is_its_state(changes: dict[str, Any], state: str) -> None:
    standing = standing_of(signal(**changes))
    assert standing.state == state
    assert standing.word
    assert standing.reason or state == "up"


def test_what_is_pasted_names_the_signals_own_address() -> None:
    lines = lines_of(signal(), "https://watch.example.org/")
    assert lines.address == "https://watch.example.org/api/signals/watch"
    assert all(lines.address in line for line in (lines.curl, lines.agent, lines.alone))
    assert "--scope signal:watch" in lines.key
    assert "interval_s = 2" in lines.agent


@pytest.mark.parametrize(
    ("changes", "every"), [({"expect_every_s": 7.5}, "7.5"), ({"min_interval_s": 60}, "80"), ({}, "2")]
)
def test_who_sends_keeps_clear_of_the_throttle(changes: dict[str, Any], every: str) -> None:
    assert f"interval_s = {every}\n" in lines_of(signal(**changes), "").agent + "\n"


def test_the_form_says_what_was_typed() -> None:
    wanted = new_of(FORM | {"min_interval_s": "2,5", "cron": " */5 * * * * ", "runs_missed": "on"})
    assert (wanted.name, wanted.task, wanted.min_interval_s, wanted.cron) == ("watch", "test.look", 2.5, "*/5 * * * *")
    assert wanted.runs_missed
    assert (wanted.job, wanted.webhook, wanted.command, wanted.expect_every_s) == (None, None, None, None)


def test_a_jobs_payload_is_kept_as_it_was_typed() -> None:
    wanted = new_of(FORM | {"task": "job", "job_type": "mow", "payload": '{"n": 1.10,\r\n "n": 2}'})
    assert wanted.job is not None
    assert (wanted.job.type, bytes(wanted.job.payload), wanted.job.queue) == (
        "mow",
        b'{"n": 1.10,\n "n": 2}',
        "default",
    )


def test_a_change_may_end_what_is_optional_and_keeps_a_secret_that_is_not_typed() -> None:
    change = change_of(FORM | {"task": "webhook", "url": "https://example.com/", "cron": "", "expect_every_s": ""})
    assert (change.cron, change.expect_every_s) == (None, None)
    assert change.webhook == WebhookOptions(url="https://example.com/", secret=None)
    assert change.job is msgspec.UNSET


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "name"),
        ({"task": ""}, "task"),
        ({"min_interval_s": "soon"}, "min_interval_s"),
        ({"min_interval_s": "-1"}, "min_interval_s"),
        ({"min_interval_s": "nan"}, "min_interval_s"),
        ({"expect_every_s": "0"}, "expect_every_s"),
        ({"task": "job", "job_type": ""}, "job_type"),
        ({"task": "job", "job_type": "mow", "payload": "{"}, "payload"),
        ({"task": "job", "job_type": "mow", "priority": "2000"}, "priority"),
        ({"task": "webhook", "url": ""}, "url"),
        ({"task": "webhook", "url": "https://h", "secret": "short"}, "secret"),
        ({"task": "command", "command": ""}, "command"),
        ({"cron": "\0"}, "cron"),
    ],
)
def test_a_wrong_field_is_named(typed: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        new_of(FORM | typed)
    assert field_of(caught.value) == field


@pytest.mark.parametrize(
    ("named", "field"), [("webhook", "url"), ("type", "job_type"), ("payload.n[0]", "payload"), ("limit", "")]
)
def test_what_the_service_calls_wrong_is_marked_where_it_was_typed(named: str, field: str) -> None:
    assert field_of(InvalidField(named, "no")) == field


def test_a_signal_fills_its_form_and_the_form_shows_again_what_was_typed_but_no_secret() -> None:
    known = signal(task="job", job=JobOptions(type="mow", payload=msgspec.Raw(b'{"n":1}'), queue="q"), cron="* * * * *")
    values = values_of(known, url="")
    assert (values["job_type"], values["payload"], values["queue"], values["cron"]) == (
        "mow",
        '{"n":1}',
        "q",
        "* * * * *",
    )
    assert change_of(values).job is not msgspec.UNSET
    assert typed_values({"name": "x", "secret": "s" * 20, "other": "y"}) == NEW | {"name": "x"}
