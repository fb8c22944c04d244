"""Cron expressions with a time zone: when next? Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_


def next_after(expression: str, zone: str, after: datetime) -> datetime:
    """The first instant after `after` that the expression names in `zone` (an IANA name).

    Raises:
        InvalidField: `cron` or `timezone`; an expression that never comes true.
    """
    local = after.astimezone(zone_of(zone))
    try:
        found: datetime = next(CronSim(expression, local))
    except (CronSimError, StopIteration) as error:
        raise InvalidField("cron", N_("this is not a cron expression, or it never comes true")) from error
    return found.astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidField("timezone", N_("there is no such time zone")) from error
