"""What residents were told, with what became of each; whether they can be told at all."""

from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.notices import Fate, NoticeKind
from atalaia.integrations.cvepro.pages.words import NOTICE_FATES, NOTICE_KINDS, Said, said
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.notices import NoticeFilter, cursor_of, read_cursor
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.notices import Notices
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/notices"
_NAMES: Final = ("q", "kind", "fate", "resident", "cursor")
_LIMIT: Final = 50
_READ: Final = Permission.OVERVIEW_READ


class NoticePages:
    def __init__(self, host: Host, notices: Notices) -> None:
        self._host = host
        self._notices = notices

    def pages(self) -> tuple[Page, ...]:
        return (Page(HREF, _READ, self.show), Page(f"{HREF}/rows", _READ, self.rows))

    async def show(self, request: Request) -> View:
        return View("cvepro/notices.html", N_("Notices"), {**await self._listed(request), **await self.standing()})

    async def rows(self, request: Request) -> View:
        return View("cvepro/_notice_rows.html", "", await self._listed(request), is_part=True)

    async def standing(self) -> dict[str, Any]:
        """Whether anybody can be told, and when not."""

        def unit(tx: Tx) -> tuple[bool, int]:
            return self._notices.has_way(tx), queries.count_opted_in(tx)

        has_way, listeners = await self._host.read(unit)
        hours, problem = self._quiet()
        return {
            "has_way": has_way,
            "listeners": listeners,
            "quiet": hours,
            "quiet_problem": problem,
            "zone": zone_of(self._host).key,
        }

    def _quiet(self) -> tuple[tuple[str, str] | None, Said | None]:
        try:
            hours = self._notices.quiet()
        except InvalidField as error:
            return None, said(error)
        return (f"{hours.begin:%H:%M}", f"{hours.end:%H:%M}") if hours else None, None

    async def _listed(self, request: Request) -> dict[str, Any]:
        params = {name: text for name in _NAMES if (text := request.query.get(name, "").strip()) and text.isprintable()}
        wanted = NoticeFilter(
            kind=_known(params.get("kind"), NoticeKind),
            fate=_known(params.get("fate"), Fate),
            resident_id=params.get("resident"),
            q=params.get("q"),
        )
        after = read_cursor(params.get("cursor", ""))
        found = await self._host.read(lambda tx: queries.page(tx, wanted, limit=_LIMIT, after=after))
        page = found[:_LIMIT]
        return {
            "found": page,
            "next": cursor_of(page[-1]) if len(found) > _LIMIT else None,
            "params": params,
            "is_filtered": bool(params.keys() - {"cursor"}),
            "kinds": NOTICE_KINDS,
            "fates": NOTICE_FATES,
            "rows": len(page),
        }


def _known(text: str | None, words: type[NoticeKind] | type[Fate]) -> str | None:
    return text if text in set(words) else None
