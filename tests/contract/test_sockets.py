"""WebSocket routes on a real server: what is refused before the handshake, what closes one, and how all end at a stop."""

import asyncio
import base64
import ipaddress
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from atalaia.cli.serve import _socket_protocol
from atalaia.core.clock import SystemClock
from atalaia.core.errors import Forbidden, NotFound, Unauthenticated
from atalaia.core.translations import Translations
from atalaia.sdk.sockets import Socket, SocketRequest, SocketRoute
from atalaia.web.addresses import TrustedProxies
from atalaia.web.edge import Edge
from atalaia.web.sockets import SocketDoor
from tests.servers import free_port
from tests.stopwatch import Stopwatch

GOOD = "Basic " + base64.b64encode(b"one:secret").decode()


class Site:
    def __init__(self, port: int, door: SocketDoor, scheme: str) -> None:
        self.port = port
        self.door = door
        self.url = f"{scheme}://127.0.0.1:{port}"

    def open(self, path: str = "/sea/one", **options: Any) -> connect:
        given = {"subprotocols": ["tide1"], "additional_headers": {"Authorization": GOOD}, "proxy": None}
        return connect(self.url + path, **{**given, **options})


async def authenticate(request: SocketRequest) -> str:
    name = request.path_params["name"]
    if name == "nobody":
        raise NotFound("there is no such gate")
    if name == "shut":
        raise Forbidden("not this one")
    if name == "broken":
        raise RuntimeError("a bug")
    if request.headers.get("authorization") != GOOD:
        raise Unauthenticated("the password is wrong")
    return f"{name} from {request.client}"


async def echo(socket: Socket, peer: str) -> None:
    await socket.send(peer)
    while True:
        text = await socket.receive()
        if text == "raise":
            raise RuntimeError("a bug")
        if text == "end":
            return
        await socket.send(text)


async def no_framework(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(
    *, proxies: tuple[str, ...] = (), tls: tuple[Path, Path] | None = None, **limits: Any
) -> AsyncIterator[Site]:
    route = SocketRoute(
        path="/sea/{name}", subprotocols=("tide1",), authenticate=authenticate, serve=echo, realm="tides", **limits
    )
    translations, trusted = Translations.load(), TrustedProxies(proxies)
    door = SocketDoor([route], proxies=trusted, translations=translations)
    edge = Edge(no_framework, [], proxies=trusted, translations=translations, sockets=door)
    port = free_port()
    cert, key = tls or (None, None)
    config = uvicorn.Config(
        edge,
        port=port,
        ws=_socket_protocol,  # type: ignore[arg-type] # as `atalaia serve` does
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="on",
        ssl_certfile=cert,
        ssl_keyfile=key,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield Site(port, door, "wss" if tls else "ws")
    finally:
        server.should_exit = True
        await task


def in_site(act: Callable[[Site], Awaitable[None]], **given: Any) -> None:
    async def main() -> None:
        async with serving(**given) as site:
            await act(site)

    asyncio.run(main())


async def refused(site: Site, path: str, **options: Any) -> Any:
    with pytest.raises(InvalidStatus) as caught:
        await site.open(path, **options)
    return caught.value.response


async def closing_code(connection: ClientConnection) -> int:
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    assert connection.close_code is not None
    return connection.close_code


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - what is waited for is the server's
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sea/nobody", 404), ("/sea/shut", 403), ("/land/one", 404), ("/sea/a/b", 404), ("/sea/broken", 500)],
)
def test_who_may_not_come_in_is_told_before_the_handshake(path: str, status: int) -> None:
    async def act(site: Site) -> None:
        answer = await refused(site, path)
        assert answer.status_code == status
        assert b'"request_id"' in answer.body
        assert b"a bug" not in answer.body

    in_site(act)


def test_a_wrong_password_is_401_with_the_realm() -> None:
    async def act(site: Site) -> None:
        answer = await refused(site, "/sea/one", additional_headers={})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="tides", charset="UTF-8"')

    in_site(act)


def test_a_plain_request_is_told_to_upgrade() -> None:
    async def act(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /sea/one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 426 ")
        assert b"upgrade: websocket" in answer
        writer.close()

    in_site(act)


def test_messages_go_both_ways_under_the_agreed_protocol() -> None:
    async def act(site: Site) -> None:
        async with site.open(subprotocols=["other", "tide1"]) as line:
            assert line.subprotocol == "tide1"
            assert await line.recv() == "one from 127.0.0.1"
            await line.send("maré")
            assert await line.recv() == "maré"
            await line.send("end")
            assert await closing_code(line) == 1000

    in_site(act)


def test_the_client_is_whom_the_trusted_proxy_names() -> None:
    async def act(site: Site) -> None:
        headers = {"Authorization": GOOD, "X-Forwarded-For": "198.51.100.9"}
        async with site.open(additional_headers=headers) as line:
            assert await line.recv() == "one from 198.51.100.9"

    in_site(act, proxies=("127.0.0.1/32",))


@pytest.mark.parametrize(
    ("sent", "code"), [(b"bytes", 1003), ("x" * 101, 1009), ("raise", 1011)], ids=["bytes", "too large", "a bug"]
)
def test_what_is_not_taken_closes_it(sent: Any, code: int) -> None:
    async def act(site: Site) -> None:
        async with site.open() as line:
            await line.recv()
            await line.send(sent)
            assert await closing_code(line) == code

    in_site(act, max_message_bytes=100)


def test_silence_closes_it() -> None:
    async def act(site: Site) -> None:
        async with site.open() as line:
            assert await closing_code(line) == 1001

    in_site(act, idle_s=0.1)


def test_without_a_known_protocol_it_is_closed_after_the_handshake() -> None:
    async def act(site: Site) -> None:
        async with site.open(subprotocols=["tide9"]) as line:
            assert line.subprotocol is None
            assert await closing_code(line) == 1002

    in_site(act)


def test_no_more_than_so_many_at_once_and_a_place_comes_free() -> None:
    async def act(site: Site) -> None:
        async with site.open() as first, site.open():
            await first.recv()
            assert (await refused(site, "/sea/one")).status_code == 503
            await first.close()
            await until(lambda: site.door.count == 1)
            async with site.open() as third:
                assert await third.recv()

    in_site(act, most=2)


def test_at_a_stop_all_are_told_and_nobody_new_comes_in() -> None:
    async def act(site: Site) -> None:
        lines = [await site.open() for _ in range(50)]
        watch = Stopwatch()
        await site.door.close_all()
        assert watch.took_s < 1 + watch.late_s
        assert [await closing_code(line) for line in lines] == [1001] * 50
        assert (await refused(site, "/sea/one")).status_code == 503

    in_site(act)


def test_it_works_over_tls(tmp_path: Path) -> None:
    async def act(site: Site) -> None:
        context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with site.open(ssl=context) as line:
            assert await line.recv() == "one from 127.0.0.1"

    in_site(act, tls=make_certificate(tmp_path))


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now.replace(year=now.year - 1, day=1))
        .not_valid_after(now.replace(year=now.year + 1, day=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


def test_a_hub_that_no_socket_is_opened_at_has_not_loaded_the_library(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import atalaia.cli.serve; from atalaia.app.hub import Hub; "
        f"from atalaia.app.options import HubOptions; hub = Hub(HubOptions(Path({str(tmp_path)!r}))); "
        "print(sorted({'websockets', 'ocpp', 'jsonschema'} & sys.modules.keys()), hub.sockets.takes('/ocpp/CP-1'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip().splitlines()[-1:] == ["[] True"], done.stderr
