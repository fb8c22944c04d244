"""When a unit is done, failed, gone or silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.traffilog.answers import Push
from atalaia.integrations.traffilog.progress import Patience, Verdict, Watching, judge


def push(status: str = "", progress: float | None = None, error: str = "") -> Push:
    return Push(status, progress, "", error)


@pytest.mark.parametrize(
    ("news", "verdict"),
    [
        (push("Completed"), Verdict.DONE),
        (push("done"), Verdict.DONE),
        (push("Sending", 99.9), Verdict.DONE),
        (push("Sending", 99.8), Verdict.GOING),
        (push("Sending", None), Verdict.GOING),
        (push("Completed", None, "no answer"), Verdict.FAILED),
        (push("Error"), Verdict.FAILED),
        (push("Failed", 100), Verdict.FAILED),
        (push("Disconnected Unit"), Verdict.UNKNOWN),
        (push("Disconnected", 100), Verdict.UNKNOWN),
        (push("Disconnected", 40, "unit offline"), Verdict.UNKNOWN),
        (push("Batch Timeout", None, "timeout"), Verdict.UNKNOWN),
        (push("Retry"), Verdict.UNKNOWN),
        (push("Batch Timeout"), Verdict.UNKNOWN),
        (push("Internal Timeout"), Verdict.UNKNOWN),
    ],
)
def test_what_a_push_means(news: Push, verdict: Verdict) -> None:
    assert judge(news) is verdict


def test_silence_becomes_a_failure_of_its_own_kind() -> None:
    watching = Watching(Patience(), started_s=0)

    assert watching.elapsed(29.9) is Verdict.GOING
    assert watching.elapsed(30) is Verdict.SILENT
    assert watching.news(push("Sending", 3), 200) is Verdict.GOING
    assert watching.elapsed(229.9) is Verdict.GOING
    assert watching.elapsed(529.9) is Verdict.SILENT
    assert watching.elapsed(530) is Verdict.SILENT_UNIT


def test_news_without_an_end_ends_after_twelve_minutes() -> None:
    watching = Watching(Patience(), started_s=0)
    watching.news(push("Sending", 50), 719)

    assert watching.elapsed(719.9) is Verdict.GOING
    assert watching.elapsed(720) is Verdict.TOOK_TOO_LONG


@given(at=st.floats(0, 719), news=st.floats(0, 719))
def test_the_verdict_does_not_change_before_the_said_instant(at: float, news: float) -> None:
    watching = Watching(Patience(), started_s=0)
    watching.news(push("Sending"), min(at, news))

    wait_s = watching.next_change_s(at)

    assert watching.elapsed(at + wait_s * 0.99) is watching.elapsed(at)
    assert wait_s > 0
