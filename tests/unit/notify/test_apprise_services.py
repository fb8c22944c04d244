import asyncio

import pytest

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.notify.channels.apprise_services import Apprise
from atalaia.sdk.failures import TemporaryFailure
from tests.unit.notify.samples import IDLE, outgoing, tools
from tests.unit.outbound.receiver import Receiver, always, receiving, reply

# Apprise itself looks for a module that Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def _send(answer: bytes = reply(200, b"{}"), *, allow_private: bool = True) -> Receiver:
    async def run() -> Receiver:
        async with receiving(always(answer)) as receiver:
            with tools(allow_private=allow_private) as given:
                kept = Apprise(IDLE).check({"url": f"ntfy://127.0.0.1:{receiver.port}/ops"})
                await Apprise(given).send(kept, outgoing())
            return receiver

    return asyncio.run(run())


def test_a_message_reaches_the_service() -> None:
    receiver = _send()
    assert receiver.requests[0].path.startswith("/ops") or b"ops" in receiver.requests[0].body
    assert "Site is down" in receiver.requests[0].body.decode() + str(receiver.requests[0].headers)


def test_a_service_that_fails_is_tried_again() -> None:
    with pytest.raises(TemporaryFailure):
        _send(reply(500, b"{}"))


def test_the_guard_judges_where_apprise_connects_to() -> None:
    with pytest.raises(TargetRefused):
        _send(allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nothing",
        "json://localhost/",
        "syslog://",
        "dbus://",
        "file:///etc/passwd",
        "mailto://me:pw@x.test",
        "tgram://",
        "workflows://h/w/s?template=/etc/passwd",
        "ntfy://h/t?+attach=/etc/passwd",
    ],
)
def test_only_allowed_services_and_options_are_taken(url: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Apprise(IDLE).check({"url": url})
    assert refused.value.field == "url"


def test_a_description_shows_the_service_alone() -> None:
    assert Apprise(IDLE).describe({"url": "tgram://123:secret/1"}) == "tgram://…"
