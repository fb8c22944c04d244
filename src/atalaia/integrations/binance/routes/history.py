"""What operations brought, with totals; and the same as a file."""

from collections.abc import Sequence
from typing import Final

from atalaia.core.permissions import Permission
from atalaia.integrations.binance.desk import Desk
from atalaia.integrations.binance.export import written
from atalaia.integrations.binance.filters import read_filter, read_limit, read_zone, text_of
from atalaia.integrations.binance.routes import documents as docs
from atalaia.integrations.binance.routes.shapes import total_out, trade_out
from atalaia.integrations.binance.trades import By
from atalaia.sdk.integration import Reply, Request, Route

PATH: Final = "/api/binance/history"
_GROUPS: Final[tuple[By, ...]] = ("day", "symbol", "account")


def history_routes(desk: Desk) -> Sequence[Route]:
    async def show(request: Request) -> Reply:
        zone = read_zone(request.query, request.principal.timezone or request.timezone)
        wanted, limit = read_filter(request.query, zone=zone), read_limit(request.query)
        after = text_of(request.query, "cursor") or None
        found = await desk.trades.page(wanted, limit=limit, after=after)
        totals = total_out(await desk.trades.total(wanted))
        for by in _GROUPS:
            groups = await desk.trades.totals(wanted, by, zone=zone)
            totals[f"by_{by}"] = [total_out(each, name=by) for each in groups]
        following = found[limit - 1].id if len(found) > limit else None
        return Reply({"items": [trade_out(each) for each in found[:limit]], "next": following, "totals": totals})

    async def export(request: Request) -> Reply:
        zone = read_zone(request.query, request.principal.timezone or request.timezone)
        trades = await desk.trades.all(read_filter(request.query, zone=zone))
        headers = {"content-disposition": 'attachment; filename="history.csv"', "cache-control": "no-store"}
        return Reply(written(trades), headers=headers, content_type="text/csv; charset=utf-8")

    shown = docs.described(
        "What closed operations brought, newest first, with totals of all that fit",
        answer=docs.HISTORY,
        fails=(422,),
        query={**docs.HISTORY_QUERY, **docs.PAGE_QUERY},
    )
    exported = docs.described(
        "The same as a CSV file, all of it",
        answer=docs.TEXT,
        fails=(422,),
        query=docs.HISTORY_QUERY,
        kind="text/csv",
    )
    return (
        Route("GET", PATH, Permission.TRADING_READ, show, shown),
        Route("GET", f"{PATH}.csv", Permission.TRADING_READ, export, exported),
    )
