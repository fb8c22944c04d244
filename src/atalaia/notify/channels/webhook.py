"""A signed POST of JSON to an address. See docs/guides/webhooks.md."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.redaction import shown_address
from atalaia.core.translations import N_
from atalaia.notify.channels.tools import Tools
from atalaia.notify.model.message import webhook_document
from atalaia.outbound.http import check_url, phrase_of
from atalaia.outbound.limits import Limits
from atalaia.outbound.response import Response
from atalaia.outbound.retry import parse_retry_after_s
from atalaia.outbound.signing import DELIVERY_HEADER, SIGNATURE_HEADER, sign
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, Values, take_fields
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure

_LIMITS = Limits(connect_s=5, read_s=10, whole_s=15, body_bytes=2048, cuts_body=True)


class Webhook(ChannelKind):
    name = "webhook"
    title = N_("Webhook")
    hint = N_("Signed JSON to an address of yours")
    fields = (
        ChannelField("url", N_("Address"), "url", placeholder="https://example.org/hooks/atalaia"),
        ChannelField(
            "secret",
            N_("Signing secret"),
            "secret",
            help=N_("Signs each message (HMAC-SHA256), so that the receiver can tell that it comes from here."),
        ),
    )

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def check(self, values: Values) -> dict[str, Any]:
        taken = take_fields(self.fields, values)
        check_url(taken["url"])
        if urlsplit(taken["url"]).username is not None:
            raise InvalidField("url", "Name and password do not belong in the address.")
        return taken

    def describe(self, values: Values) -> str:
        return shown_address(str(values["url"]))

    async def send(self, values: Values, message: ChannelMessage) -> str:
        body = msgspec.json.encode(webhook_document(message))
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: sign(body, values["secret"]),
            DELIVERY_HEADER: message.delivery,
        }
        try:
            response = await self._tools.http.request(
                "POST", values["url"], headers=headers, body=body, limits=_LIMITS, is_repeatable=True
            )
        except PermanentFailure as error:
            if "why" not in error.params:
                raise
            # A certificate that has lapsed is made anew within the day, and the message is worth as much then.
            raise TemporaryFailure(error.message, may_have_arrived=False, **error.params) from error
        return _judge(response, message)


def _judge(response: Response, message: ChannelMessage) -> str:
    """Only "gone" is for ever: a 404 or 401 is often a receiver that is being put in order."""
    phrase = phrase_of(response.status)
    if response.is_success:
        return phrase
    if response.status == HTTPStatus.GONE:
        raise PermanentFailure("The receiver answered {phrase}.", phrase=phrase)
    wait_s = parse_retry_after_s(response.headers.get("Retry-After"), now=message.sent_at)
    raise TemporaryFailure("The receiver answered {phrase}.", phrase=phrase, retry_after_s=wait_s)
