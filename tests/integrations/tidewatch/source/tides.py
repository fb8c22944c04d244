"""The upstream's words, and ours."""

from collections.abc import Callable
from typing import Any

import msgspec

from atalaia.core.redaction import Secret
from atalaia.sdk.failures import BadPayload, PermanentFailure
from atalaia.sdk.upstreams import Answer, Login, Token, Upstream, UpstreamDeclaration


class Level(msgspec.Struct):
    level_m: float


class Moved(msgspec.Struct):
    moved: bool


async def login(upstream: Upstream, setting: Callable[[str], Any]) -> Login:
    key = setting("api_key")
    if not setting("url") or key is None:
        raise PermanentFailure("Tidewatch is not configured.")
    body = msgspec.json.encode({"key": key.reveal()})
    answer = await upstream.call("login", "POST", f"{setting('url')}/login", body=body)
    try:
        return Login(Secret(str(msgspec.json.decode(answer.body)["token"])))
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise BadPayload("The login's answer has no token.") from error


def authorize(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value.reveal()}"}


def read(answer: Answer, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.MsgspecError as error:
        raise BadPayload("The tide service answers in another form: {why}", why=str(error)) from error


async def level_of(upstream: Upstream, url: str, place: str = "harbour") -> float:
    answer = await upstream.call("level", "GET", f"{url}/level/{place}", is_repeatable=True, authorize=authorize)
    found: Level = read(answer, Level)
    return found.level_m


DECLARATION = UpstreamDeclaration(name="tidewatch", title="Tidewatch", login=login, token_life_s=3600.0)
