"""Files that a real Chromium makes: net-export logs with and without socket bytes, and the sniffer's lines."""

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from aiohttp import WSMsgType, web
from playwright.sync_api import Browser, Page

from atalaia.captures.model.importing import read_recording
from atalaia.captures.model.recordings import CaptureRefused
from atalaia.captures.model.snippet import snippet
from tests.browser.conftest import ARGUMENTS, PATIENCE_MS
from tests.servers import find_binary
from tests.unit.captures.recorded import GUID, PASSWORD, SECRETS, TOKEN, frame, redacted

FRAMES = [frame("a", f'"n":"{n}","name":"Café \\u00e9 \\/",', flow=612340 + n) for n in range(3)]
LONG = frame("b", f'"comment":"{"x" * 70_000}",')
PUSH = '{"response":{"properties":{"action_name":"refresh","data":[]}}}'

TALK = """async ([address, texts]) => {
  const socket = new WebSocket(address);
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = () => failed(new Error("no socket")); });
  let heard = 0;
  const answered = new Promise((done) => { socket.onmessage = () => { if (++heard === texts.length) done(); }; });
  for (const text of texts) socket.send(text);
  await answered;
  const closed = new Promise((done) => { socket.onclose = done; });
  socket.close();
  await closed;
}"""


class Upstream:
    """A WebSocket server in a thread that answers every message with a push."""

    def __init__(self, context: ssl.SSLContext | None, *, is_packed: bool) -> None:
        self.received: list[str] = []
        self._context, self._is_packed = context, is_packed
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    @property
    def socket(self) -> str:
        return f"{'wss' if self._context else 'ws'}://127.0.0.1:{self.port}/{GUID}/{TOKEN}/json?defragment=1"

    @property
    def page(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}/"

    def _run(self) -> None:
        self._loop.run_until_complete(self._start())
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_get("/", self._page)
        application.router.add_post("/login", self._login)
        application.router.add_get("/{guid}/{token}/json", self._talk)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._ready.set()

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>page</title>", content_type="text/html")

    async def _login(self, request: web.Request) -> web.Response:
        self.received.append(await request.text())
        return web.json_response({"response": {"properties": {"session_token": TOKEN}}})

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=self._is_packed)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.received.append(message.data)
                await socket.send_str(PUSH)
        return socket


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


Record = Callable[[Upstream, str], Path]


@pytest.fixture
def record(tmp_path: Path, browser: Browser) -> Record:
    """A net-export log of one visit, in a capture mode."""

    def run(upstream: Upstream, mode: str) -> Path:
        log = tmp_path / f"{mode}.json"
        arguments = [*ARGUMENTS, f"--log-net-log={log}", f"--net-log-capture-mode={mode}"]
        path = find_binary("chromium") or find_binary("chromium-browser") or find_binary("google-chrome")
        recorded = browser.browser_type.launch(
            executable_path=path, args=[*arguments, "--ignore-certificate-errors"], timeout=PATIENCE_MS * 3
        )
        page = recorded.new_page(ignore_https_errors=True)
        page.set_default_timeout(PATIENCE_MS)
        page.goto(upstream.page)
        page.evaluate(TALK, [upstream.socket, [*FRAMES, LONG]])
        recorded.close()
        return log

    return run


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_net_export_log_of_chromium_gives_every_frame(
    record: Record, certificate: ssl.SSLContext, is_tls: bool, is_packed: bool
) -> None:
    with Upstream(certificate if is_tls else None, is_packed=is_packed) as upstream:
        data = record(upstream, "Everything").read_bytes()
        assert upstream.received == [*FRAMES, LONG]
    recording = read_recording(data)
    assert recording.format == "net-export"
    assert recording.browser.startswith("Chrom")
    assert [each.text for each in recording.frames if each.direction == "sent"] == [
        redacted(text) for text in [*FRAMES, LONG]
    ]
    assert [each.text for each in recording.frames if each.direction == "received"] == [PUSH] * 4
    assert [secret for secret in SECRETS if secret in repr(recording)] == []


@pytest.mark.parametrize("mode", ["full", "minimal"])
def test_a_har_of_chromium_has_every_token_as_it_was_sent(tmp_path: Path, browser: Browser, mode: str) -> None:
    """Numbers, escapes and repeated keys that a parser makes the same."""
    spellings = (
        "1",
        "1.0",
        '"1"',
        "1e0",
        "true",
        "9" * 30,
        '"\\u0031"',
        '"\\/"',
        '"/"',
        '"é"',
        '"\\u00e9"',
        '"\\ud83d"',
        '1,"v":1.0',
    )
    frames = [frame("a", f'"v":{spelling},', flow=612340 + n) for n, spelling in enumerate(spellings)]
    by_http = frame("c", '"n":1.0,"n":1,')
    file = tmp_path / "recorded.har"
    with Upstream(None, is_packed=True) as upstream:
        context = browser.new_context(record_har_path=file, record_har_mode=mode, record_har_content="embed")  # type: ignore[arg-type]  # a literal
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(upstream.page)
        page.evaluate(TALK, [upstream.socket, [*frames, LONG]])
        page.evaluate("(body) => fetch('/login', {method: 'POST', body}).then((answer) => answer.text())", by_http)
        context.close()
        assert upstream.received == [*frames, LONG, by_http]
    recording = read_recording(file.read_bytes())
    assert recording.format == "har"
    sent = [each for each in recording.frames if each.direction == "sent"]
    assert [each.text for each in sent] == [redacted(text) for text in [*frames, LONG, by_http]]
    assert sent[-1].via == "http"
    assert [secret for secret in SECRETS if secret in repr(recording)] == []


def test_a_net_export_log_without_raw_bytes_is_refused_with_the_reason(record: Record) -> None:
    with Upstream(None, is_packed=True) as upstream:
        data = record(upstream, "Default").read_bytes()
    with pytest.raises(CaptureRefused, match="no socket bytes"):
        read_recording(data)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_the_sniffer_prints_what_the_page_sends_without_secrets_and_the_page_notices_nothing(page: Page) -> None:
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    encoded = "%7B%22action%22%3A%7B%22name%22%3A%22c%22%2C%22session_token%22%3A%22" + TOKEN + "%22%7D%7D"
    login = f'{{"action":{{"name":"user_login","parameters":{{"login_name":"ana","password":"{PASSWORD}"}}}}}}'
    with Upstream(None, is_packed=True) as upstream:
        page.goto(upstream.page)
        page.evaluate(snippet())
        page.evaluate(TALK, [upstream.socket, [*FRAMES, encoded, '{"other":1}']])
        page.evaluate("(body) => fetch('/login', {method: 'POST', body}).then((answer) => answer.text())", login)
        page.evaluate(
            "(body) => new Promise((done) => { const asked = new XMLHttpRequest(); asked.open('POST', '/login');"
            " asked.onload = done; asked.send(body); })",
            login,
        )
        assert upstream.received == [*FRAMES, encoded, '{"other":1}', login, login]
        page.evaluate("atalaiaSniffer.stop()")
        page.evaluate(TALK, [upstream.socket, FRAMES[:1]])
    printed = "\n".join(lines)
    assert [secret for secret in SECRETS if secret in printed] == []
    recording = read_recording(printed.encode())
    assert [each.text for each in recording.frames[:3]] == [redacted(text) for text in FRAMES]
    assert [(each.action, each.via) for each in recording.frames] == [
        *[("a", "socket")] * 3,
        ("c", "socket"),
        *[("user_login", "http")] * 2,
    ]
    assert recording.frames[3].text == encoded.replace(TOKEN, "x" * len(TOKEN))
    assert recording.frames[0].address.endswith("/***/***/json?defragment=1")
