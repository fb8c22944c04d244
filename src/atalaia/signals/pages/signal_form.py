"""The form of a signal: what is typed to the service's words, and back."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_
from atalaia.signals.model.signals import (
    COMMAND,
    JOB,
    MIN_INTERVAL_S,
    TIMEZONE,
    WEBHOOK,
    JobOptions,
    SignalChange,
    SignalIn,
    SignalOut,
    WebhookOptions,
)

# In which field of the form it stands what an error names.
_FIELD_OF: Final = {
    "webhook": "url",
    "url": "url",
    "secret": "secret",
    "job": "job_type",
    "type": "job_type",
    "payload": "payload",
    "queue": "queue",
    "priority": "priority",
    "concurrency_key": "concurrency_key",
}
_DAY_S: Final = 86_400
_MOST_PRIORITY: Final = 1000
_LEAST_SECRET: Final = 16
NEW: Final[dict[str, str]] = {
    "name": "",
    "task": "",
    "min_interval_s": f"{MIN_INTERVAL_S:g}",
    "expect_every_s": "",
    "cron": "",
    "timezone": TIMEZONE,
    "runs_missed": "",
    "job_type": "",
    "payload": "{}",
    "queue": "",
    "priority": "",
    "concurrency_key": "",
    "url": "",
    "secret": "",
    "command": "",
}


def values_of(signal: SignalOut, *, url: str) -> dict[str, str]:
    """`url`: of its webhook, whole."""
    job = signal.job
    return NEW | {
        "name": signal.name,
        "task": signal.task,
        "min_interval_s": f"{signal.min_interval_s:g}",
        "expect_every_s": "" if signal.expect_every_s is None else f"{signal.expect_every_s:g}",
        "cron": signal.cron or "",
        "timezone": signal.timezone,
        "runs_missed": "on" if signal.runs_missed else "",
        "job_type": job.type if job else "",
        "payload": bytes(job.payload).decode() if job else "{}",
        "queue": job.queue if job and job.queue != "default" else "",
        "priority": str(job.priority) if job and job.priority else "",
        "concurrency_key": job.concurrency_key or "" if job else "",
        "url": url,
        "command": signal.command or "",
    }


def typed_values(form: Mapping[str, Any]) -> dict[str, str]:
    """The form as it was sent, to be shown again; a secret is not."""
    return NEW | {"runs_missed": ""} | {name: str(form[name]) for name in NEW if name in form and name != "secret"}


def new_of(form: Mapping[str, Any]) -> SignalIn:
    """Raises: InvalidField."""
    return SignalIn(name=_said(form, "name", N_("It needs a name.")), **_fields(form))


def change_of(form: Mapping[str, Any]) -> SignalChange:
    """Raises: InvalidField."""
    fields = _fields(form)
    # What another task needs is left as it is: the service drops what the task has no use for.
    return SignalChange(**{name: value for name, value in fields.items() if value is not None or name in _MAY_END})


_MAY_END: Final = frozenset({"cron", "expect_every_s"})


def field_of(error: AtalaiaError) -> str:
    """The form's field that an error is about; empty for the whole."""
    if not isinstance(error, InvalidField):
        return ""
    name = error.field.split(".")[0].split("[")[0]
    name = _FIELD_OF.get(name, name)
    return name if name in NEW else ""


def _fields(form: Mapping[str, Any]) -> dict[str, Any]:
    task = _said(form, "task", N_("Choose what it does."))
    return {
        "task": task,
        "min_interval_s": _number(form, "min_interval_s", default=MIN_INTERVAL_S, most=_DAY_S),
        "expect_every_s": _number(form, "expect_every_s", default=None, most=_DAY_S, is_above=True),
        "cron": _text(form, "cron") or None,
        "timezone": _text(form, "timezone") or TIMEZONE,
        "runs_missed": bool(form.get("runs_missed")),
        "job": _job(form) if task == JOB else None,
        "webhook": _webhook(form) if task == WEBHOOK else None,
        "command": _said(form, "command", N_("Choose a command.")) if task == COMMAND else None,
    }


def _job(form: Mapping[str, Any]) -> JobOptions:
    payload = _text(form, "payload") or "{}"
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidField("payload", N_("This is not JSON.")) from error
    priority = _number(form, "priority", default=0, least=-_MOST_PRIORITY, most=_MOST_PRIORITY)
    return JobOptions(
        type=_said(form, "job_type", N_("It needs the type of the job.")),
        payload=Raw(payload.encode()),
        queue=_text(form, "queue") or "default",
        priority=int(priority or 0),
        concurrency_key=_text(form, "concurrency_key") or None,
    )


def _webhook(form: Mapping[str, Any]) -> WebhookOptions:
    secret = str(form.get("secret") or "")
    if secret and len(secret) < _LEAST_SECRET:
        raise InvalidField("secret", N_("At least {n} characters."), n=_LEAST_SECRET)
    return WebhookOptions(url=_said(form, "url", N_("It needs the address.")), secret=secret or None)


def _text(form: Mapping[str, Any], name: str) -> str:
    text = str(form.get(name) or "").replace("\r\n", "\n").strip()
    if "\0" in text:
        raise InvalidField(name, N_("Something in it can't be kept."))
    return text


def _said(form: Mapping[str, Any], name: str, why: str) -> str:
    text = _text(form, name)
    if not text:
        raise InvalidField(name, why)
    return text


def _number(
    form: Mapping[str, Any], name: str, *, default: float | None, most: float, least: float = 0, is_above: bool = False
) -> float | None:
    text = _text(form, name).replace(",", ".")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise InvalidField(name, N_("Must be a number.")) from None
    if not least <= value <= most or (is_above and value <= least):
        raise InvalidField(name, N_("Must be between {least} and {most}."), least=f"{least:g}", most=f"{most:g}")
    return value
