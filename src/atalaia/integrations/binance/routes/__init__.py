"""The JSON API below /api/binance. Money is decimal text in both directions."""

from atalaia.integrations.binance.desk import Desk
from atalaia.integrations.binance.routes.accounts import account_routes
from atalaia.integrations.binance.routes.history import history_routes
from atalaia.integrations.binance.routes.operations import operation_routes
from atalaia.integrations.binance.routes.panic import panic_routes
from atalaia.sdk.integration import Route


def all_of(desk: Desk) -> tuple[Route, ...]:
    return (*account_routes(desk), *operation_routes(desk), *history_routes(desk), *panic_routes(desk))
