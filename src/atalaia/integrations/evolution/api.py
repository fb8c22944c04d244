"""The Evolution API over HTTP: a text to a number, and the state of the connection.

Source: protocols of Evolution API 2.3; docs/decisions/0018-whatsapp.md says what each answer proves.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.evolution.manifest import NAME, is_configured
from atalaia.sdk.failures import BadPayload, NoSuchAddress, TemporaryFailure
from atalaia.sdk.upstreams import Answer, Upstream

OPEN: Final = "open"
# Answered by its guards, by its router or by a proxy, before anything is done; 401 is the upstream client's to tell.
_NOT_DONE: Final = frozenset(
    {
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_MOST_WORDS: Final = 200
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Ground(Protocol):
    """What of sdk.integration.Host is needed here."""

    def setting(self, name: str) -> Any: ...

    def upstream(self, name: str, account: str = "default") -> Upstream: ...


class _Instance(msgspec.Struct):
    state: str


class _State(msgspec.Struct):
    instance: _Instance


class _Missing(msgspec.Struct):
    exists: bool
    number: str = ""


class _Sent(msgspec.Struct):
    status: str = ""


class EvolutionApi:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @property
    def is_configured(self) -> bool:
        return is_configured(self._ground.setting)

    @property
    def takes_answers(self) -> bool:
        return bool(self._ground.setting("takes_answers"))

    async def state(self) -> str:
        """`open`, `connecting` or `close`, or a word that is not known yet.

        Raises: TemporaryFailure, AuthExpired, PermanentFailure, BadPayload, TargetRefused, InvalidField (the address).
        """
        answer = await self._call("state", "GET", "/instance/connectionState", is_repeatable=True)
        try:
            return msgspec.json.decode(answer.body, type=_State).instance.state
        except _UNREADABLE as error:
            raise BadPayload(N_("The Evolution API does not say how the connection stands.")) from error

    async def await_open(self) -> None:
        """Nothing may be sent otherwise: a try on a closed connection ends in a 400 that proves nothing.

        Raises: TemporaryFailure, always with `may_have_arrived=False`.
        """
        if not self.is_configured:
            raise TemporaryFailure(N_("The Evolution API is not set up."), may_have_arrived=False)
        try:
            state = await self.state()
        except AtalaiaError as error:
            raise TemporaryFailure(
                N_("Nobody knows whether WhatsApp is connected: {why}"),
                why=str(error),
                retry_after_s=getattr(error, "retry_after_s", None),
                may_have_arrived=False,
            ) from error
        if state != OPEN:
            raise TemporaryFailure(N_("WhatsApp is not connected: {state}"), state=state, may_have_arrived=False)

    async def send_text(self, digits: str, text: str) -> str:
        """Once. The answer in a few words.

        Raises:
            NoSuchAddress: the number is not on WhatsApp.
            AuthExpired, TemporaryFailure(may_have_arrived=False): surely not sent.
            Anything else: perhaps sent.
        """
        body = msgspec.json.encode({"number": digits, "text": text})
        answer = await self._call("send_text", "POST", "/message/sendText", body=body, judge=judge_sending)
        try:
            status = msgspec.json.decode(answer.body, type=_Sent).status
        except _UNREADABLE:
            status = ""  # its status has said that it is sent
        return " ".join(part for part in (str(answer.status), status) if part)

    async def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        judge: Callable[[Answer], None] | None = None,
        is_repeatable: bool = False,
    ) -> Answer:
        base, instance = str(self._ground.setting("base_url")).rstrip("/"), str(self._ground.setting("instance"))
        key = self._ground.setting("api_key")
        return await self._ground.upstream(NAME).call(
            operation,
            method,
            f"{base}{path}/{quote(instance, safe='')}",
            # Each on a connection of its own: one that is kept open may be closed by the other side just as a message goes
            # out, and then nobody knows whether it went.
            headers={
                "apikey": key.reveal() if isinstance(key, Secret) else str(key or ""),
                "Content-Type": "application/json",
                "Connection": "close",
            },
            body=body,
            judge=judge,
            is_repeatable=is_repeatable,
        )


def judge_sending(answer: Answer) -> None:
    """What an answer to `sendText` proves; what passes here is judged by its status (401, 5xx).

    Raises: NoSuchAddress, TemporaryFailure.
    """
    status = answer.status
    if status == HTTPStatus.BAD_REQUEST:
        message = _message_of(answer)
        if missing := _missing_in(message):
            raise NoSuchAddress(N_("+{number} is not on WhatsApp."), number=missing, status=status)
        words = N_("Perhaps it went out; the Evolution API answered {status} {words}")
        raise TemporaryFailure(words, status=status, words=_shown(message))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST or status in _NOT_DONE:
        words = N_("The Evolution API did not take it: {status} {words}")
        raise TemporaryFailure(words, status=status, words=_shown(_message_of(answer)), may_have_arrived=False)


def _message_of(answer: Answer) -> Any:
    """`response.message` of an error: a text, or a list of texts or of things; None in another form."""
    try:
        body = msgspec.json.decode(answer.body)
    except _UNREADABLE:
        return None
    response = body.get("response") if isinstance(body, dict) else None
    return response.get("message") if isinstance(response, dict) else None


def _missing_in(message: Any) -> str:
    """The number, where the answer is that there is no such one on WhatsApp."""
    for each in message if isinstance(message, list) else ():
        try:
            found = msgspec.convert(each, _Missing)
        except msgspec.ValidationError:
            continue
        if not found.exists:
            return found.number.removeprefix("+") or "?"
    return ""


def _shown(message: Any) -> str:
    if message is None:
        return ""
    parts = message if isinstance(message, list) else [message]
    return ", ".join(each if isinstance(each, str) else msgspec.json.encode(each).decode() for each in parts)[
        :_MOST_WORDS
    ]
