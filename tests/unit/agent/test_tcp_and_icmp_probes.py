import socket
from typing import Self

import pytest

from atalaia_agent.dial import Address
from atalaia_agent.probes import icmp
from tests.unit.agent.local_servers import serving, silent
from tests.unit.agent.measured import measured


def echo(sock: socket.socket) -> None:
    sock.sendall(b"+" + sock.recv(100))


def test_a_connection_is_enough_for_tcp() -> None:
    with silent() as port:
        found = measured("tcp", f"127.0.0.1:{port}")
    assert found.is_ok
    assert set(found.phases) == {"dns", "connect"}


def test_tcp_sends_a_word_and_expects_one() -> None:
    with serving(echo) as port:
        found = measured("tcp", f"127.0.0.1:{port}", send="PING\\r\\n\\x41", expect="+PING\\r\\nA")
        other = measured("tcp", f"localhost:{port}", send="x", expect="OK", family="ipv4")
    assert (found.is_ok, found.data["answer"]) == (True, "+PING\r\nA")
    assert other.error == "assertion_failed"
    assert "b'+x'" in (other.message or "")


def test_tcp_that_keeps_silent_is_a_timeout() -> None:
    with silent() as port:
        assert measured("tcp", f"127.0.0.1:{port}", expect="x", timeout_s=0.2).outcome == "timeout"


@pytest.mark.parametrize("target", ["localhost", "localhost:0", "localhost:x", ":80", "::1:80:"])
def test_a_tcp_target_needs_host_and_port(target: str) -> None:
    assert measured("tcp", target).error == "bad_option"


def may_send_icmp() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


@pytest.mark.skipif(not may_send_icmp(), reason="this user may not open raw sockets")
@pytest.mark.parametrize("target", ["127.0.0.1", "::1"])
def test_icmp_counts_what_comes_back(target: str) -> None:
    found = measured("icmp", target, count=4, gap_s=0.01)
    assert found.is_ok
    assert (found.data["sent"], found.data["received"], found.data["loss_percent"]) == (4, 4, 0.0)
    assert found.data["min_ms"] <= found.data["mean_ms"] <= found.data["max_ms"]


class FakeSocket:
    """Gives back what it is told to, at once."""

    type = socket.SOCK_DGRAM

    def __init__(self, keeps: set[int]) -> None:
        self._keeps = keeps
        self._waiting: list[bytes] = []

    def send(self, packet: bytes) -> None:
        if packet[7] in self._keeps:
            self._waiting += [b"\x00" + packet[1:8] + b"somebody else's!", b"\x00" + packet[1:]]

    def settimeout(self, _: float) -> None:
        pass

    def recv(self, _: int) -> bytes:
        if not self._waiting:
            raise TimeoutError
        return self._waiting.pop(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_lost_packets_are_counted_and_fail_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icmp, "_open", lambda _: FakeSocket({1, 3, 4}))
    lossy = measured("icmp", "127.0.0.1", count=4, gap_s=0.01)
    strict = measured("icmp", "127.0.0.1", count=4, gap_s=0.01, max_loss_percent=10)
    assert (lossy.is_ok, lossy.data["loss_percent"]) == (True, 25.0)
    assert (strict.outcome, strict.error) == ("fail", "packet_loss")


def test_no_answer_at_all_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icmp, "_open", lambda _: FakeSocket(set()))
    found = measured("icmp", "127.0.0.1", count=2, gap_s=0.01, timeout_s=1)
    assert (found.outcome, found.error, found.data["received"]) == ("timeout", "timeout", 0)


def test_without_the_right_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    found = measured("icmp", "127.0.0.1")
    assert (found.outcome, found.error) == ("error", "not_permitted")
    assert "CAP_NET_RAW" in (found.message or "")


def test_the_checksum_is_the_one_of_rfc_1071() -> None:
    packet = bytes.fromhex("0001f203f4f5f6f7")
    assert icmp.checksum(packet) == 0x220D
    assert Address(socket.AF_INET, ("127.0.0.1", 0)).ip == "127.0.0.1"
