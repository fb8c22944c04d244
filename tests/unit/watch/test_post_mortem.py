"""A post-mortem has all that was recorded, in order and in the reader's words, and room for what was not."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from atalaia.core.translations import Locale, Translations
from atalaia.notify.model.severity import Severity
from atalaia.watch.model.incidents import Cause, IncidentState
from atalaia.watch.model.post_mortem import Writing, post_mortem
from atalaia.watch.model.values import Incident, TimelineEvent

OPENED = datetime(2026, 3, 4, 4, 10, tzinfo=UTC)
TRANSLATIONS = Translations.load()


def incident(**more: object) -> Incident:
    given: dict[str, object] = {
        "id": "i1", "subject": "s", "check_id": None, "title": "Orders is down", "cause": Cause.DOWN,
        "severity": Severity.CRITICAL, "state": IncidentState.RESOLVED, "opened_at": OPENED,
        "reason": "status_mismatch: 502", "resolved_at": OPENED + timedelta(minutes=10), **more,
    }  # fmt: skip
    return Incident(**given)  # type: ignore[arg-type]


def event(kind: str, *, after_s: float = 0, who: str | None = None, **data: object) -> TimelineEvent:
    return TimelineEvent(id=f"{after_s:09.1f}", at=OPENED + timedelta(seconds=after_s), kind=kind, who=who, data=data)


EVENTS = [
    event("recovered", after_s=600),
    event("opened", reason="status_mismatch: 502"),
    event("told", after_s=0.2, channels=["plantão", "mail"]),
    event("message_dead", after_s=3, channel="plantão", target="+55 11", status="refused"),
    event("comment", after_s=90, who="Ana", text="# não é\ncabeçalho | <b>nem tabela</b>"),
]


def written(locale: Locale = "en", **more: object) -> str:
    writing = Writing(TRANSLATIONS.translator(locale), ZoneInfo("America/Sao_Paulo"), OPENED + timedelta(hours=1))
    return post_mortem(incident(**more), EVENTS, writing=writing, address="http://hub/incidents/i1")


def test_it_says_what_was_recorded_in_order_and_in_the_readers_zone() -> None:
    text = written()
    assert text.startswith("# Orders is down\n")
    assert "- **Opened**: Mar 4, 2026, 01:10:00" in text
    assert "- **Lasted**: 10 min" in text
    assert "- **Reason**: Unexpected HTTP status · 502" in text
    timeline = text.partition("## Timeline")[2].partition("##")[0].strip().splitlines()
    assert [line.partition("**")[2].partition("**")[0] for line in timeline] == [
        "Opened",
        "Message queued",
        "Message could not be delivered",
        "Comment",
        "Recovered by itself",
    ]
    assert timeline[2].endswith("(+3 s) **Message could not be delivered**: plantão · +55 11 · refused")


def test_what_people_wrote_stays_text() -> None:
    (comment,) = (line for line in written().splitlines() if "Ana" in line)
    assert r"\# não é cabeçalho \| \<b\>nem tabela\</b\>" in comment


@pytest.mark.parametrize(
    ("locale", "rooms"),
    [
        ("en", ("Timeline", "Impact", "Cause", "What helped", "What is to be done")),
        ("pt-BR", ("Linha do tempo", "Impacto", "Causa", "O que ajudou", "O que será feito")),
    ],
)
def test_it_has_room_for_what_only_people_know(locale: Locale, rooms: tuple[str, ...]) -> None:
    assert tuple(line[3:] for line in written(locale).splitlines() if line.startswith("## ")) == rooms


def test_one_that_goes_on_says_so_and_for_how_long() -> None:
    text = written(resolved_at=None, state=IncidentState.OPEN)
    assert "- **State**: Still open" in text
    assert "- **Lasted**: 1 h" in text
