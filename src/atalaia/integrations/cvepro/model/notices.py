"""What residents are told: kinds, their words with named variables, and the hours in which nobody is told. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from string import Formatter
from typing import Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_, Locale

LONGEST: Final = 1000
# What happened so long ago is no news: an import, or an outage that is over.
NEWS_FOR: Final = timedelta(hours=1)
_LONGEST_SHOWN: Final = 40


class NoticeKind(StrEnum):
    STARTED = "started"
    FULL = "full"
    ENDED = "ended"
    INTERRUPTED = "interrupted"
    CHARGER_FREE = "charger_free"


class Fate(StrEnum):
    """Of a notice. The first six are of its message (sdk.messages.MessageFate), the others of what was not sent at all."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    REFUSED = "refused"  # the number is not on WhatsApp
    UNKNOWN = "unknown"
    FAILED = "failed"
    EXPIRED = "expired"  # it would have come too late
    QUIET = "quiet"  # in quiet hours, and no news any more at their end
    NOT_THERE = "not_there"  # the number is known not to be on WhatsApp
    NO_WAY = "no_way"  # WhatsApp is not set up
    WITHDRAWN = "withdrawn"  # it was still waiting when notices were switched off


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is a session's id, or what became free when. `text` and `phone` as they were sent, or would have been."""

    subject: str
    kind: NoticeKind
    resident_id: str
    message_id: str | None = None
    fate: Fate
    reason: str = ""
    text: str = ""
    phone: str = ""
    created_at: datetime
    settled_at: datetime | None = None


_COMMON: Final = ("name", "first_name", "flat", "charger", "link")
_SESSION: Final = (*_COMMON, "connector", "since", "duration", "kwh")
VARIABLES: Final[Mapping[NoticeKind, tuple[str, ...]]] = {
    NoticeKind.STARTED: (*_COMMON, "connector", "since"),
    NoticeKind.FULL: _SESSION,
    NoticeKind.ENDED: (*_SESSION, "until", "cost"),
    NoticeKind.INTERRUPTED: (*_SESSION, "until", "cost", "reason"),
    NoticeKind.CHARGER_FREE: (*_COMMON, "connector"),
}

# For so long it is of use: later it is not sent. The others are for the record of who charged.
FRESH_FOR: Final[Mapping[NoticeKind, timedelta]] = {
    NoticeKind.STARTED: timedelta(minutes=30),
    NoticeKind.FULL: timedelta(minutes=60),
    NoticeKind.CHARGER_FREE: timedelta(minutes=10),
}

BUILT_IN: Final[Mapping[Locale, Mapping[NoticeKind, str]]] = {
    "pt-BR": {
        NoticeKind.STARTED: "Olá, {first_name}! Sua recarga em {charger} começou às {since}.",
        NoticeKind.FULL: (
            "{first_name}, seu carro em {charger} parou de carregar: parece que está cheio, depois de {duration}. "
            "Quando puder, libere a vaga para o próximo."
        ),
        NoticeKind.ENDED: "{first_name}, sua recarga em {charger} terminou: {kwh} em {duration}, custo {cost}.",
        NoticeKind.INTERRUPTED: (
            "Atenção, {first_name}: sua recarga em {charger} foi interrompida às {until} ({reason}). "
            "Até ali foram {kwh} em {duration}. Confira o carro e o carregador."
        ),
        NoticeKind.CHARGER_FREE: (
            "{first_name}, {charger} acaba de ficar livre. A vaga não fica reservada: é de quem chegar primeiro."
        ),
    },
    "en": {
        NoticeKind.STARTED: "Hello, {first_name}! Your charging at {charger} began at {since}.",
        NoticeKind.FULL: (
            "{first_name}, your car at {charger} has stopped charging: it seems to be full, after {duration}. "
            "Please make room for the next one when you can."
        ),
        NoticeKind.ENDED: "{first_name}, your charging at {charger} has ended: {kwh} in {duration}, cost {cost}.",
        NoticeKind.INTERRUPTED: (
            "Attention, {first_name}: your charging at {charger} was interrupted at {until} ({reason}). "
            "Until then it was {kwh} in {duration}. Please look after car and charger."
        ),
        NoticeKind.CHARGER_FREE: (
            "{first_name}, {charger} has just become free. It is not reserved: first come, first served."
        ),
    },
}

# What a message is for, on the record of deliveries: nobody's name is in it.
SUBJECTS: Final[Mapping[Locale, Mapping[NoticeKind, str]]] = {
    "pt-BR": {
        NoticeKind.STARTED: "Aviso de recarga: começou",
        NoticeKind.FULL: "Aviso de recarga: carro cheio",
        NoticeKind.ENDED: "Aviso de recarga: terminou",
        NoticeKind.INTERRUPTED: "Aviso de recarga: interrompida",
        NoticeKind.CHARGER_FREE: "Aviso de recarga: carregador livre",
    },
    "en": {
        NoticeKind.STARTED: "Charging notice: began",
        NoticeKind.FULL: "Charging notice: car is full",
        NoticeKind.ENDED: "Charging notice: ended",
        NoticeKind.INTERRUPTED: "Charging notice: interrupted",
        NoticeKind.CHARGER_FREE: "Charging notice: charger is free",
    },
}

# Below the first notice that somebody gets.
OPT_OUT: Final[Mapping[Locale, str]] = {
    "pt-BR": "Você recebe estes avisos porque os ativou. Para parar, desative-os em {link} ou fale com a administração.",
    "en": "You get these notices because you switched them on. To stop them, switch them off at {link}, or tell the administration.",
}
# Where what residents answer is told to us.
OPT_OUT_BY_ANSWER: Final[Mapping[Locale, str]] = {
    "pt-BR": "Você recebe estes avisos porque os ativou. Para parar, responda SAIR ou desative-os em {link}.",
    "en": "You get these notices because you switched them on. To stop them, answer STOP, or switch them off at {link}.",
}

# OCPP 1.6, section 7.44; what is not here is told as the charger says it.
_REASONS: Final[Mapping[Locale, Mapping[str, str]]] = {
    "pt-BR": {
        "powerloss": "falta de energia",
        "emergencystop": "parada de emergência",
        "hardreset": "o carregador reiniciou",
        "softreset": "o carregador reiniciou",
        "reboot": "o carregador reiniciou",
        "deauthorized": "a tag não foi autorizada",
        "unlockcommand": "o conector foi destravado",
        "other": "motivo não informado",
    },
    "en": {
        "powerloss": "power loss",
        "emergencystop": "emergency stop",
        "hardreset": "the charger restarted",
        "softreset": "the charger restarted",
        "reboot": "the charger restarted",
        "deauthorized": "the tag was not authorized",
        "unlockcommand": "the connector was unlocked",
        "other": "no reason given",
    },
}
# The driver's own, or of who looks after it.
_PLANNED: Final = frozenset({"", "local", "remote", "evdisconnected"})
_DRIVERS: Final = frozenset({"user", "driver", "evdriver", "ev_driver"})


def is_interrupted(reason: str | None, actor: str | None) -> bool:
    """Whether a session ended otherwise than its driver wanted."""
    return _plain(reason) not in _PLANNED and _plain(actor) not in _DRIVERS


def reason_words(reason: str | None, locale: Locale) -> str:
    words = _REASONS[locale]
    return words.get(_plain(reason)) or reason or words["other"]


def _plain(text: str | None) -> str:
    return (text or "").strip().lower()


# -- words


def read_template(text: str, kind: NoticeKind, field: str = "text") -> str:
    """Raises: InvalidField: names the variable that there is not, or what can't be read."""
    plain = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()
    if not plain:
        raise InvalidField(field, N_("This field is needed."))
    if len(plain) > LONGEST:
        raise InvalidField(field, N_("at most {limit} letters"), limit=LONGEST)
    if not all(letter.isprintable() or letter in "\n\u200d\ufe0f" for letter in plain):
        raise InvalidField(field, N_("It holds letters that can't be shown."))
    allowed = VARIABLES[kind]
    for name in _names(plain, field):
        if name not in allowed:
            raise InvalidField(
                field,
                N_("There is no variable {name} here. There are: {allowed}."),
                name="{" + name[:_LONGEST_SHOWN] + "}",
                allowed=", ".join(f"{{{each}}}" for each in allowed),
            )
    return plain


def render(template: str, values: Mapping[str, str]) -> str:
    """Of a template that was read. A value is put in as it is, whatever it holds."""
    parts = Formatter().parse(template)
    return "".join(literal + (values.get(name, "") if name is not None else "") for literal, name, _, _ in parts)


def _names(text: str, field: str) -> Iterator[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise InvalidField(
            field,
            N_(
                "A variable is written as {example}; a brace by itself twice.",
            ),
            example="{name}",
        ) from error
    for _, name, form, conversion in parts:
        if name is not None:
            yield name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")


# -- quiet hours


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` until before `end`, by the clock of `zone`, over midnight where `end` is the smaller one."""

    begin: time
    end: time
    zone: tzinfo

    def end_after(self, at: datetime) -> datetime | None:
        """When those end in which `at` falls; None: they are not now."""
        local = at.astimezone(self.zone)
        clock, day = local.time(), local.date()
        if self.begin < self.end:
            is_quiet, end_day = self.begin <= clock < self.end, day
        else:
            is_quiet = clock >= self.begin or clock < self.end
            end_day = day + timedelta(days=1) if clock >= self.begin else day
        end_at = datetime.combine(end_day, self.end, tzinfo=self.zone).astimezone(UTC)
        # In an hour that comes twice the end may be over by then.
        return end_at if is_quiet and end_at > at else None


def quiet_hours(begin: str, end: str, zone: tzinfo) -> QuietHours | None:
    """None where there are none: one of the two is empty, or both are the same. Raises: InvalidField."""
    first, last = read_clock(begin, "quiet_from"), read_clock(end, "quiet_until")
    return QuietHours(first, last, zone) if first is not None and last is not None and first != last else None


def read_clock(text: str, field: str) -> time | None:
    """`22:00`. Raises: InvalidField."""
    plain = text.strip()
    if not plain:
        return None
    try:
        return datetime.strptime(plain, "%H:%M").time()  # noqa: DTZ007 - a clock's time has no zone
    except ValueError as error:
        raise InvalidField(field, N_("a time of day as 22:00")) from error
