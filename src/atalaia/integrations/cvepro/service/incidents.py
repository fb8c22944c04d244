"""What is told as an incident: each family of them is settled as a whole, so that one that is over ends by itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from atalaia.core.redaction import scrub
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.manifest import TITLE
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.feeds import ACTIVE, CHARGERS, LIVE, SESSIONS, TAGS, Feed
from atalaia.integrations.cvepro.queries import faults
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

_OUTAGES: Final = {
    CHARGERS: N_("Chargers can't be read"),
    SESSIONS: N_("Charging sessions can't be read"),
    ACTIVE: N_("Sessions under way can't be read"),
    TAGS: N_("RFID tags can't be read"),
    LIVE: N_("Live connection lost; polling goes on"),
}
_SILENT: Final = N_("Charger without heartbeat")
_FAULTED: Final = N_("Charger faulted")
_CHANGED: Final = N_("API changed")
_OUTAGE_RUNBOOK: Final = (
    "The dashboard goes on showing the last good data with its age, and comes back by itself.\n\n"
    "1. Open the vendor's own page: does it let you in?\n"
    "2. On the page of the upstream (Upstreams → CVE-Pro): does the login fail, or the list? Is the breaker open?\n"
    "3. A login that is refused: check e-mail, password and Api-Key in the settings.\n"
    "4. A 5xx is the vendor's: call them, with the time of the first failure."
)
_LIVE_RUNBOOK: Final = (
    "Nothing is lost: the lists are read at their own pace, only changes show up to an interval later. It connects again by itself.\n\n"
    "1. Is the address in the setting `live_url` still the vendor's, and `live_destination` what it publishes to?\n"
    "2. A proxy or firewall between may not let WebSockets through, or cut those that are quiet.\n"
    "3. Where the account has none any more, empty `live_url`: polling alone is no incident."
)
_CHARGER_RUNBOOK: Final = (
    "1. Look at the charger: is there light, does its display say an error?\n"
    "2. Its breaker in the electrical panel, then its network.\n"
    "3. Switch it off for a minute and on again; then call whoever maintains it."
)
_SHAPE_RUNBOOK: Final = (
    "The vendor's API does not give this field any more, or gives it in another form. What depends on it is shown as unknown.\n\n"
    "Where this account never had the field, name it in the setting `absent_fields`. Otherwise look for its "
    "new name in the vendor's answer, and tell the maintainers of the integration."
)


def outage(feed: Feed) -> FaultReport:
    is_needed = feed.name in {CHARGERS, SESSIONS}
    return FaultReport(
        key=f"feed:{feed.name}",
        title=_OUTAGES[feed.name],
        name=TITLE,
        reason=scrub(feed.error or ""),
        severity="critical" if is_needed else "warning",
        labels={"upstream": "cvepro", "list": feed.name},
        runbook=_LIVE_RUNBOOK if feed.name == LIVE else _OUTAGE_RUNBOOK,
    )


def shapes(paths: Iterable[str]) -> list[FaultReport]:
    return [
        FaultReport(
            key=f"shape:{path}",
            title=_CHANGED,
            name=f"{TITLE} {path}",
            reason=path,
            severity="warning",
            labels={"upstream": "cvepro", "path": path},
            runbook=_SHAPE_RUNBOOK,
        )
        for path in paths
    ]


def charger_faults(
    chargers: Sequence[Charger], *, now: datetime, limit_s: float, prefix: str = ""
) -> list[FaultReport]:
    """`now` by the clock that the heartbeats are told by; `prefix` of the keys, by who tells of them."""
    found = [_of_charger(each, f"{prefix}faulted", _FAULTED, _error_of(each)) for each in chargers if each.is_faulted]
    silent = [each for each in chargers if each.is_silent(now=now, limit_s=limit_s)]
    return found + [
        _of_charger(each, f"{prefix}silent", _SILENT, f"{each.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC") for each in silent
    ]


def settle(host: Host, tx: Tx, family: str, wanted: Sequence[FaultReport], *, now: datetime) -> None:
    """Report those that are new, and end those of the family that are not wanted any more."""
    open_ = faults.keys(tx, family)
    new = {each.key: each for each in wanted}
    for key in open_ - new.keys():
        host.end_fault(tx, key)
        faults.close(tx, key)
    for key, fault in new.items():
        if key not in open_:
            host.report_fault(tx, fault)
            faults.open_(tx, key, family, now=now)


def _of_charger(charger: Charger, what: str, title: str, reason: str) -> FaultReport:
    return FaultReport(
        key=f"{what}:{charger.key}",
        title=title,
        name=charger.name,
        reason=reason,
        labels={"charger": charger.box_id or charger.key},
        runbook=_CHARGER_RUNBOOK,
    )


def _error_of(charger: Charger) -> str:
    codes = (each.error_code for each in charger.connectors if each.error_code and each.error_code != "NoError")
    return next(codes, "")
