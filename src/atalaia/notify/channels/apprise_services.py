"""Chat and push services through Apprise, which has a transport for each."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.notify.channels.tools import Tools
from atalaia.notify.model.notice import MessageEvent
from atalaia.notify.model.severity import Severity
from atalaia.outbound.guard import Guard, Trust
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, Values, take_fields
from atalaia.sdk.failures import TemporaryFailure

# Only services that are spoken to over HTTP by Apprise alone: others open sockets, files, serial lines or a desktop's
# bus that the guard does not see. Raw JSON, XML and form posts are what the webhook is for.
# fmt: off
SCHEMES = frozenset({
    "apprise", "apprises", "bark", "barks", "bluesky", "bsky", "clicksend", "cliq", "dingtalk", "discord",
    "evolution", "evolutions", "feishu", "flock", "gchat", "gotify", "gotifys", "hassio",
    "hassios", "ifttt", "ilert", "incidentio", "lark", "line", "mailgun", "matrix", "matrixs",
    "mmost", "mmosts", "msgbird", "nctalk", "nctalks", "ntfy", "ntfys", "opsgenie", "pagerduty", "pagertree",
    "pbul", "pover", "prowl", "revolt", "rocket", "rockets", "sendgrid", "signal", "signals",
    "signl4", "sinch", "slack", "splunk", "spike", "squadcast", "synology", "synologys", "tgram",
    "threema", "twilio", "twist", "victorops", "vonage", "webex", "whatsapp", "workflow", "workflows",
    "wxteams", "zulip",
})
# fmt: on
# These read a file of the hub, or change where it keeps its own.
_REFUSED_OPTIONS = frozenset({"template", "keyfile", "subfile", "attach", "store", "config"})
_ANSWER_S = 15

_TYPES: dict[str, str] = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


def _library() -> Any:
    """Apprise brings 5 MB of memory with it: loaded where such a channel is used, and only there."""
    import apprise

    return apprise


class Apprise(ChannelKind):
    name = "apprise"
    title = N_("Chat or push service (Apprise)")
    hint = N_("Telegram, Slack, Teams, ntfy, WhatsApp and many more")
    fields = (
        ChannelField(
            "url",
            N_("Apprise address"),
            "secret",
            help=N_("As in Apprise's list of services, for example tgram://token/chat or slack://…"),
            placeholder="tgram://…",
        ),
    )

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def check(self, values: Values) -> dict[str, Any]:
        taken = take_fields(self.fields, values)
        scheme, _, rest = taken["url"].strip().partition("://")
        if scheme.lower() not in SCHEMES or not rest:
            raise InvalidField("url", "Apprise's {scheme} can't be used here.", scheme=scheme[:30] or "?")
        options = {name.lstrip(" +-:").lower() for name, _ in parse_qsl(urlsplit(taken["url"]).query)}
        if refused := sorted(options & _REFUSED_OPTIONS):
            raise InvalidField("url", "The option {option} can't be used here.", option=refused[0])
        if _service(taken["url"]) is None:
            raise InvalidField("url", "Apprise does not understand this address.")
        return {"url": taken["url"].strip()}

    def describe(self, values: Values) -> str:
        return str(values["url"]).partition("://")[0] + "://…"

    async def send(self, values: Values, message: ChannelMessage) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._tools.threads, _notify, values["url"], message, self._tools.guard)


def _service(url: str) -> Any:
    # No store of its own on disk, no plug-ins from elsewhere.
    apprise = _library()
    asset = apprise.AppriseAsset(storage_mode="memory", secure_logging=True, app_id="Atalaia", app_desc="Atalaia")
    return apprise.Apprise.instantiate(url.strip(), asset=asset, suppress_exceptions=True)


def _notify(url: str, message: ChannelMessage, guard: Guard) -> str:
    from atalaia.outbound.guarded_threads import guarded_thread  # with Apprise's own HTTP library

    service = _service(url)
    if service is None:
        raise TemporaryFailure("Apprise does not understand this address.")
    service.socket_connect_timeout = service.socket_read_timeout = _ANSWER_S
    with _heard() as words, guarded_thread(guard, trust=Trust.TYPED):
        is_sent = service.notify(body=message.text, title=message.marked_title, notify_type=_type_of(message))
    if not is_sent:
        raise TemporaryFailure("The service did not take the message: {why}", why=" ".join(words)[:300] or "?")
    return "OK"


def _type_of(message: ChannelMessage) -> Any:
    if message.event == MessageEvent.RECOVERED:
        return _library().NotifyType("success")
    return _library().NotifyType(_TYPES[message.lead.severity])


class _ThreadWords(logging.Handler):
    """What Apprise says in this thread: its calls only answer yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.words.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    handler = _ThreadWords()
    source = logging.getLogger("apprise")
    source.propagate = False
    source.addHandler(handler)
    try:
        yield handler.words
    finally:
        source.removeHandler(handler)
