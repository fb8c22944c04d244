import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from atalaia_agent.probes.dns_message import RECORD_TYPES, BadMessage, encode_question, parse_answer
from tests.stillness import unhurried
from tests.unit.agent.measured import measured

NAME_AT_12 = b"\xc0\x0c"


def record(kind: str, data: bytes, ttl_s: int = 300) -> bytes:
    return NAME_AT_12 + struct.pack(">HHIH", RECORD_TYPES[kind], 1, ttl_s, len(data)) + data


def answer_to(question: bytes, *records: bytes, flags: int = 0x8180) -> bytes:
    end = question.index(b"\x00", 12) + 5
    return question[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question[12:end] + b"".join(records)


class Resolver:
    def __init__(self) -> None:
        self.udp: list[bytes] = []
        """Records of the answer over UDP."""
        self.tcp: list[bytes] = []
        self.flags = 0x8180
        self.silent_for = 0
        self.questions: list[bytes] = []
        self.address = ""


@contextlib.contextmanager
def resolver() -> Iterator[Resolver]:
    served = Resolver()
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    served.address = f"127.0.0.1:{port}"

    def serve_udp() -> None:
        while (received := udp.recvfrom(2_000))[0] != b"stop":
            question, client = received
            served.questions.append(question)
            if served.silent_for:
                served.silent_for -= 1
                continue
            stranger = b"\xff\xff" + answer_to(question, *served.udp)[2:]
            udp.sendto(stranger, client)
            udp.sendto(answer_to(question, *served.udp, flags=served.flags), client)

    def serve_tcp() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = tcp.accept()[0]
                with sock:
                    reply = answer_to(sock.recv(2_000)[2:], *served.tcp)
                    sock.sendall(struct.pack(">H", len(reply)) + reply)

    threads = [threading.Thread(target=serve) for serve in (serve_udp, serve_tcp)]
    for thread in threads:
        thread.start()
    try:
        yield served
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
            stop.sendto(b"stop", ("127.0.0.1", port))
        tcp.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()


def label(*names: str) -> bytes:
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\x00"


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("A", bytes([192, 0, 2, 7]), "192.0.2.7"),
        ("AAAA", bytes.fromhex("20010db8" + "00" * 11 + "01"), "2001:db8::1"),
        ("CNAME", label("www", "example", "org"), "www.example.org"),
        ("MX", b"\x00\x0a" + label("mail")[:-1] + NAME_AT_12, "10 mail.example.org"),
        ("TXT", b"\x05hello\x06 world", "hello world"),
        ("NS", label("ns1"), "ns1"),
        ("SOA", label("ns") + label("root") + struct.pack(">IIIII", 1, 2, 3, 4, 5), "ns root 1 2 3 4 5"),
        ("SRV", struct.pack(">HHH", 1, 2, 443) + label("host"), "1 2 443 host"),
        ("CAA", b"\x00\x05issueletsencrypt.org", '0 issue "letsencrypt.org"'),
        ("PTR", label("host", "example"), "host.example"),
    ],
)
def test_every_record_type_is_read(kind: str, data: bytes, value: str) -> None:
    with resolver() as served:
        served.udp = [record(kind, data)]
        found = measured("dns", "example.org", record=kind, resolver=served.address, expect=value.upper() + ".")
    assert found.message is None
    assert found.is_ok
    assert found.data["answers"] == [value]
    assert found.data["ttl_s"] == 300


def test_an_expected_answer_that_is_missing_fails() -> None:
    with resolver() as served:
        served.udp = [record("A", bytes([192, 0, 2, 7]))]
        found = measured("dns", "example.org", resolver=served.address, expect=["192.0.2.7", "192.0.2.8"])
    assert (found.error, found.message) == ("assertion_failed", "192.0.2.8 is not among the answers: 192.0.2.7")


def test_no_such_name_and_no_record_fail_apart() -> None:
    with resolver() as served:
        served.flags = 0x8183
        assert measured("dns", "example.org", resolver=served.address).error == "dns_no_such_name"
        served.flags = 0x8182
        assert measured("dns", "example.org", resolver=served.address).message == "example.org: server failure"
        served.flags = 0x8180
        assert measured("dns", "example.org", resolver=served.address).error == "dns_no_answer"


def test_a_truncated_answer_is_asked_again_over_tcp() -> None:
    with resolver() as served:
        served.flags = 0x8380
        served.tcp = [record("A", bytes([10, 0, 0, number])) for number in range(60)]
        found = measured("dns", "example.org", resolver=served.address)
    assert found.is_ok
    assert len(found.data["answers"]) == 50


def test_a_lost_question_is_repeated() -> None:
    def scene(slower: float) -> None:
        with resolver() as served:
            served.silent_for = 1
            served.udp = [record("A", bytes([10, 0, 0, 1]))]
            assert measured("dns", "example.org", resolver=served.address, timeout_s=1.5 * slower).is_ok
            assert len(served.questions) == 2

    unhurried(scene, bears_s=0.2)


def test_a_question_that_is_never_answered_is_a_timeout() -> None:
    with resolver() as served:
        served.silent_for = 9
        assert measured("dns", "example.org", resolver=served.address, timeout_s=0.3).outcome == "timeout"


def test_an_address_is_asked_for_backwards() -> None:
    with resolver() as served:
        served.udp = [record("PTR", label("host", "example"))]
        assert measured("dns", "192.0.2.7", record="PTR", resolver=served.address).is_ok
    assert label("7", "2", "0", "192", "in-addr", "arpa") in served.questions[0]


@pytest.mark.parametrize("options", [{"record": "X"}, {"resolver": "a:b:c:"}, {"expect": 5}])
def test_a_wrong_option_is_an_error(options: dict[str, Any]) -> None:
    assert measured("dns", "example.org", **options).error == "bad_option"


@pytest.mark.parametrize("name", ["a..b", "x" * 64, ".".join(["abcdefgh"] * 40)])
def test_a_name_that_can_be_none_is_an_error(name: str) -> None:
    assert measured("dns", name, resolver="127.0.0.1:9").error == "bad_option"


def test_hostile_answers_are_refused_and_do_not_go_in_circles() -> None:
    question = encode_question("example.org", "CNAME", 7)
    circle = answer_to(question, record("CNAME", b"\xc0\x29"))
    circle = circle[:-2] + struct.pack(">H", 0xC000 | (len(circle) - 2))
    for message in (b"", b"\x00" * 12, question, circle, answer_to(question, record("CNAME", b"\xc0"))):
        with pytest.raises(BadMessage):
            parse_answer(message, question)
    with pytest.raises(BadMessage, match="another question"):
        parse_answer(answer_to(encode_question("example.com", "CNAME", 7)), question)
