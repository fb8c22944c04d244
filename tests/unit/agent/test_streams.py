"""Sockets that do not block, plain and with TLS: long messages, slow answers, and the turn that is given away meanwhile."""

import re
import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from atalaia_agent import streams
from atalaia_agent.deadline import Deadline
from atalaia_agent.dial import dial
from atalaia_agent.http1 import Address
from atalaia_agent.kept import KeptConnection, start_tls
from tests.stillness import unhurried
from tests.unit.agent.local_servers import Pki, http, make_pki, read_request, serving, silent

SIZE = 3_000_000


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def secured(pki: Pki, handle: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)

    def handle_secured(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as inner:
            handle(inner)

    return handle_secured


class FakeTurn:
    """Held until it is passed on; nobody waits for it before `until`."""

    def __init__(self, until: float = 0.0) -> None:
        self.until = until
        self.passed_on = threading.Event()

    def pass_on(self) -> None:
        self.passed_on.set()


def given_away(turn: FakeTurn, *, timeout_s: float = 10.0) -> Deadline:
    return Deadline(timeout_s, turn)  # type: ignore[arg-type]


def test_a_message_that_no_buffer_holds_arrives_whole() -> None:
    received: list[int] = []
    with serving(lambda sock: received.append(len(read_request(sock)))) as port:
        deadline = Deadline(10)
        with dial("127.0.0.1", port, deadline=deadline).sock as sock:
            head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % SIZE
            streams.send(sock, head + b"x" * SIZE, deadline)
            sock.shutdown(socket.SHUT_WR)
            assert streams.receive(sock, 1, deadline=deadline, what="the end") == b""
    assert received == [len(head) + SIZE]


def test_tls_sends_and_receives_what_no_buffer_holds(pki: Pki) -> None:
    answer = http(body=b"y" * SIZE)

    def handle(sock: socket.socket) -> None:
        for _ in range(2):
            read_request(sock)
            sock.sendall(answer)

    with serving(secured(pki, handle)) as port:
        kept = KeptConnection(Address("https", "127.0.0.1", port, "/", ""), ca=pki.authority_pem)
        message = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % SIZE + b"x" * SIZE
        connected = []
        for _ in range(2):
            exchange = kept.exchange("POST", message, deadline=Deadline(20), max_body_bytes=SIZE)
            assert len(exchange.response.body) == SIZE
            connected.append(exchange.connect_ms is not None)
        kept.close()
    assert connected == [True, False]


def test_who_waits_for_an_answer_gives_its_turn_away_and_still_gets_it() -> None:
    turn = FakeTurn()

    def handle(sock: socket.socket) -> None:
        sock.recv(100)
        turn.passed_on.wait(60)
        sock.sendall(b"late")

    with serving(handle) as port:
        deadline = given_away(turn)
        with dial("127.0.0.1", port, deadline=deadline).sock as sock:
            turn.passed_on.clear()
            streams.send(sock, b"?", deadline)
            assert streams.receive(sock, 10, deadline=deadline, what="an answer") == b"late"


def test_a_tls_handshake_gives_its_turn_away(pki: Pki) -> None:
    turn = FakeTurn()
    plain = secured(pki, lambda sock: sock.sendall(b"hello"))

    def handle(sock: socket.socket) -> None:
        turn.passed_on.wait(60)
        plain(sock)

    with serving(handle) as port:
        sock = dial("127.0.0.1", port, deadline=Deadline(60)).sock
        deadline = given_away(turn)
        with start_tls(sock, "127.0.0.1", deadline=deadline, ca=pki.authority_pem) as inner:
            assert streams.receive(inner, 10, deadline=deadline, what="an answer") == b"hello"


def test_a_name_is_looked_up_without_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = FakeTurn()

    def look_up(*_: object, **__: object) -> object:
        turn.passed_on.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with serving(lambda sock: sock.sendall(b"x")) as port:
        dialed = dial("slow.example", port, deadline=given_away(turn))
        dialed.sock.close()
    assert turn.passed_on.is_set()
    assert dialed.address == "127.0.0.1"


def test_an_answer_that_does_not_come_ends_at_the_limit_with_or_without_a_turn() -> None:
    def scene(slower: float) -> None:
        limit_s = 0.2 * slower
        with silent() as port:
            for turn in (FakeTurn(), FakeTurn(until=1e12)):
                deadline = given_away(turn, timeout_s=limit_s)
                with (
                    dial("127.0.0.1", port, deadline=deadline).sock as sock,
                    pytest.raises(TimeoutError, match=re.escape(f"an answer within {limit_s:g} s")),
                ):
                    streams.receive(sock, 1, deadline=deadline, what="an answer")
                assert turn.passed_on.is_set() is (turn.until == 0.0)

    unhurried(scene, bears_s=0.1)
