"""Cron expressions with a time zone: when next? Pure."""

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atalaia.core.errors import ConfigError, InvalidField
from atalaia.core.translations import N_


def next_after(expression: str, zone: str, after: datetime) -> datetime:
    """The first instant after `after` that the expression names in `zone` (an IANA name).

    Raises:
        InvalidField: `cron` or `timezone`; an expression that never comes true.
        ConfigError: the library that reads cron expressions is not installed.
    """
    cronsim = _cronsim()
    local = after.astimezone(zone_of(zone))
    try:
        found: datetime = next(cronsim.CronSim(expression, local))
    except (cronsim.CronSimError, StopIteration) as error:
        raise InvalidField("cron", N_("this is not a cron expression, or it never comes true")) from error
    return found.astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidField("timezone", N_("there is no such time zone")) from error


def is_available() -> bool:
    return find_spec("cronsim") is not None


def _cronsim() -> Any:
    if not is_available():
        raise ConfigError(
            N_("schedules need the library cronsim, which is not installed"),
            code="cron_unavailable",
            hint=N_("Install it beside Atalaia: pip install cronsim."),
        )
    return import_module("cronsim")
