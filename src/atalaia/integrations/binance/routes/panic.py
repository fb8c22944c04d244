"""Panic: closes everything, and asks twice. The first answer has a token that the second question brings back."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from atalaia.core.clock import from_ms, to_ms
from atalaia.core.errors import ConfigError, InvalidField
from atalaia.core.formats import iso
from atalaia.core.permissions import Permission, Principal
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk, by_of
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.routes import documents as docs
from atalaia.integrations.binance.routes.shapes import operation_out
from atalaia.sdk.integration import Host, Reply, Request, Route

PATH: Final = "/api/binance/panic"
VALID_FOR: Final = timedelta(seconds=120)
_PURPOSE: Final = "panic"


class PanicIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    token: str | None = None


class _Promise(msgspec.Struct, array_like=True):
    """What a token says: who asked, and until when they may say so again."""

    by: str
    until_ms: int


class Tokens:
    """Sealed with the hub's key, so that another hub on the same database knows them; nothing is stored."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def make(self, by: Principal) -> tuple[str, datetime]:
        until = self._host.clock.now() + VALID_FOR
        said = msgspec.json.encode(_Promise(by.id, to_ms(until))).decode()
        sealed = self._host.seal(Secret(said), purpose=_PURPOSE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("="), until

    def check(self, token: str, by: Principal) -> None:
        """Raises: InvalidField."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            promise = msgspec.json.decode(self._host.unseal(sealed, purpose=_PURPOSE).reveal(), type=_Promise)
        except (ConfigError, binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise InvalidField("token", N_("This is no token of a first question.")) from error
        if promise.by != by.id:
            raise InvalidField("token", N_("Somebody else asked the first time."))
        if from_ms(promise.until_ms) < self._host.clock.now():
            raise InvalidField("token", N_("The first question is too long ago: ask again."))


def panic_routes(desk: Desk) -> Sequence[Route]:
    tokens = Tokens(desk.host)

    async def ask(request: Request) -> Reply:
        given = request.json(PanicIn) if request.body.strip() else PanicIn()
        if given.token is None:
            token, until = tokens.make(request.principal)
            return Reply({"token": token, "expires_at": iso(until), **_sorted(await desk.operations.all())})
        tokens.check(given.token, request.principal)
        done = await desk.operations.panic(by=by_of(request))
        out = {"closing": _out(done.closing), "dry_runs": _out(done.dry_runs), "is_begun": done.is_begun}
        return Reply(out, status=202)

    return (Route("POST", PATH, Permission.TRADING_WRITE, ask, _DOCUMENT),)


def _sorted(shown: Sequence[Shown]) -> dict[str, object]:
    return {
        "would_close": _out([each for each in shown if not each.watched.operation.dry_run]),
        "dry_runs": _out([each for each in shown if each.watched.operation.dry_run]),
    }


def _out(shown: Sequence[Shown]) -> list[dict[str, object]]:
    return [operation_out(each) for each in shown]


_LIST: Final = {"type": "array", "items": docs.OPERATION}
_ASKED: Final = docs.fields(token=docs.TEXT, expires_at=docs.INSTANT, would_close=_LIST, dry_runs=_LIST)
_BEGUN: Final = docs.fields(closing=_LIST, dry_runs=_LIST, is_begun=docs.FLAG)
_DOCUMENT: Final = docs.described(
    "Close all operations: without a token it answers one and what would be closed; with it, it closes",
    answer=_ASKED,
    body=docs.body({"token": docs.MAYBE_TEXT}),
    fails=(409,),
)
_DOCUMENT["responses"]["202"] = {
    "description": "They are being closed",
    "content": {"application/json": {"schema": _BEGUN}},
}
_DOCUMENT["requestBody"]["required"] = False
