import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.notify.channels.webhook import Webhook
from atalaia.outbound.response import Response
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from tests.unit.notify.samples import IDLE, outgoing, tools
from tests.unit.outbound.receiver import Receiver, always, receiving, reply


def _send(receiver_reply: bytes | None = None, *, allow_private: bool = True) -> tuple[str, Receiver]:
    async def run() -> tuple[str, Receiver]:
        async with receiving(always(receiver_reply or reply())) as receiver:
            with tools(allow_private=allow_private) as given:
                try:
                    return await Webhook(given).send(
                        {"url": receiver.url + "/hook", "secret": "s3cret"}, outgoing()
                    ), receiver
                finally:
                    await given.http.aclose()

    return asyncio.run(run())


def test_a_message_is_signed_over_the_bytes_that_arrive() -> None:
    status, receiver = _send()
    request = receiver.requests[0]
    digest = hmac.new(b"s3cret", request.body, hashlib.sha256).hexdigest()
    assert status == "200 OK"
    assert request.headers["x-atalaia-signature"] == f"sha256={digest}"
    assert request.headers["x-atalaia-delivery"] == json.loads(request.body)["delivery"] == "d1"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
def test_a_receiver_that_does_not_take_it_is_tried_again(status: int) -> None:
    with pytest.raises(TemporaryFailure) as failure:
        _send(reply(status, b"", Retry_After="30"))
    assert failure.value.retry_after_s == 30
    assert str(status) in str(failure.value)


def test_a_receiver_that_is_gone_is_given_up() -> None:
    with pytest.raises(PermanentFailure):
        _send(reply(410, b""))


def test_a_certificate_that_has_lapsed_may_be_put_right_within_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lapsed(*_args: object, **_named: object) -> Response:
        await asyncio.sleep(0)
        raise PermanentFailure("The certificate is not valid: {why}", why="certificate has expired")

    async def run() -> None:
        with tools() as given:
            monkeypatch.setattr(given.http, "request", lapsed)
            await Webhook(given).send({"url": "https://x.test/hook", "secret": "s3cret"}, outgoing())

    with pytest.raises(TemporaryFailure, match="certificate has expired") as failure:
        asyncio.run(run())
    assert not failure.value.may_have_arrived


def test_a_private_address_is_refused_without_the_setting() -> None:
    with pytest.raises(TargetRefused):
        _send(allow_private=False)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": "https://x.test/"}, "secret"),
        ({"secret": "s"}, "url"),
        ({"url": "ftp://x.test/", "secret": "s"}, "url"),
        ({"url": "https://me:pw@x.test/", "secret": "s"}, "url"),
        ({"url": 5, "secret": "s"}, "url"),
        ({"url": "https://x.test/", "secret": "s", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Webhook(IDLE).check(values)
    assert refused.value.field == field


def test_a_description_shows_no_query() -> None:
    assert Webhook(IDLE).describe({"url": "https://x.test/a?token=abc"}) == "https://x.test/a?***"
