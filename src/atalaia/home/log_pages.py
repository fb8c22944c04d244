"""The hub's own log, searched."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from atalaia.access.guards import requires
from atalaia.core.errors import InvalidField
from atalaia.core.formats import zone
from atalaia.core.log_search import FoundEntries, LogWish, Place, search_log
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.cursors import DEFAULT_LIMIT, decode_cursor, encode_cursor
from atalaia.web.pages import AnyRequest, Pages

LOGS: Final = "/logs"
# Key of the filter -> its words: that level and graver ones.
LEVEL_WORDS: Final = {"error": N_("Errors"), "warning": N_("Warnings and errors"), "info": N_("All but debug")}
# Level of an entry -> the state that it is shown as (what is nothing to worry about: none), and the word.
SHOWN_LEVELS: Final = {
    "critical": ("down", N_("Error")),
    "exception": ("down", N_("Error")),
    "error": ("down", N_("Error")),
    "warning": ("degraded", N_("Warning")),
    "info": (None, N_("Info")),
    "debug": (None, N_("Debug")),
}


@dataclass(frozen=True, slots=True)
class HubLog:
    folder: Path

    async def search(self, wish: LogWish, *, cursor: str | None, limit: int) -> FoundEntries:
        """Raises: InvalidField (cursor)."""
        key = decode_cursor(cursor, int, int, int)
        after = Place(*key) if key else None
        if after is not None and after.offset < 0:
            raise InvalidField("cursor", "cursor: not one of this list's")
        return await asyncio.to_thread(search_log, self.folder, wish, limit=limit, after=after)


@get(LOGS, guards=[requires(Permission.LOGS_READ)], include_in_schema=False)
async def logs_page(
    request: AnyRequest, pages: NamedDependency[Pages], hub_log: NamedDependency[HubLog]
) -> Response[str]:
    params = dict(request.query_params)
    translate = pages.translator(request).translate
    wish = wish_of(params, timezone=pages.timezone_of(request))
    found = await hub_log.search(wish, cursor=params.get("cursor"), limit=DEFAULT_LIMIT)
    return await pages.page(
        request,
        "home/logs.html",
        rows=len(found.entries),
        title=translate("Logs"),
        host=socket.gethostname(),
        entries=[{"entry": entry, "fields": _fields(entry.fields)} for entry in found.entries],
        reached_at=found.reached_at,
        next=encode_cursor(*found.next) if found.next else None,
        params=params,
        is_filtered=wish != LogWish(),
        level_options=[(key, translate(word)) for key, word in LEVEL_WORDS.items()],
        levels=SHOWN_LEVELS,
    )


def wish_of(params: Mapping[str, str], *, timezone: str) -> LogWish:
    """What an address asks for; its times are of the reader's zone. Raises: InvalidField."""
    level = params.get("level", "")
    return LogWish(
        level=level if level in LEVEL_WORDS else "",
        text=params.get("q", "").strip(),
        request_id=params.get("request", "").strip(),
        since=_instant(params, "from", timezone),
        until=_instant(params, "until", timezone),
    )


def _instant(params: Mapping[str, str], name: str, timezone: str) -> datetime | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone(timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidField(name, N_("a time is written like 2026-03-31T14:05")) from error


def _fields(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in fields.items()
    ]


ROUTES = (logs_page,)
