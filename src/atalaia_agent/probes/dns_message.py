"""Questions and answers of the DNS. Pure. Source: RFC 1035, 3596 (AAAA), 2782 (SRV), 8659 (CAA), 6891 (EDNS)."""

from __future__ import annotations

import socket
import struct
from struct import pack, unpack_from
from typing import NamedTuple

RECORD_TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "CAA": 257,
}

_IN = 1
_RECURSION_DESIRED = 0x0100
_TRUNCATED = 0x0200
_ANSWER = 0x8000
_MAX_LABEL, _MAX_NAME = 63, 253
_POINTER = 0xC0
_MAX_JUMPS = 64
# The size that crosses nearly all paths unfragmented: DNS flag day 2020.
_EDNS = b"\x00" + pack(">HHIH", 41, 1_232, 0, 0)


class BadMessage(ValueError):
    pass


class Answer(NamedTuple):
    """`values`: the records of the asked type, as text; `ttl_s`: the least of them."""

    message_id: int
    rcode: int
    is_truncated: bool
    values: list[str]
    ttl_s: int | None


def encode_question(name: str, record: str, message_id: int) -> bytes:
    header = pack(">HHHHHH", message_id, _RECURSION_DESIRED, 1, 0, 0, 1)
    return header + _encode_name(name) + pack(">HH", RECORD_TYPES[record], _IN) + _EDNS


def _encode_name(name: str) -> bytes:
    plain = name.rstrip(".")
    try:
        ascii_name = plain.encode("ascii") if plain.isascii() else plain.encode("idna")
    except UnicodeError as failure:
        raise BadMessage(f"{name!r} is not a name") from failure
    labels = ascii_name.split(b".") if plain else []
    if len(ascii_name) > _MAX_NAME or any(not 0 < len(label) <= _MAX_LABEL for label in labels):
        raise BadMessage(f"{name!r} is not a name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


def parse_answer(message: bytes, question: bytes) -> Answer:
    """Raises BadMessage. `question` is what was asked: the answer must repeat it."""
    try:
        return _parse(message, question)
    except (IndexError, struct.error, UnicodeDecodeError, OSError) as failure:
        raise BadMessage("the answer is not a DNS message") from failure


def _parse(message: bytes, question: bytes) -> Answer:
    message_id, flags, questions, answers = unpack_from(">HHHH", message)
    if not flags & _ANSWER:
        raise BadMessage("the answer is a question")
    at = 12
    for _ in range(questions):
        at = _skip_name(message, at) + 4
    asked = question[12 : -len(_EDNS)]
    if questions and message[12:at].lower() != asked.lower():
        raise BadMessage("the answer is to another question")
    (wanted,) = unpack_from(">H", asked, len(asked) - 4)
    values: list[str] = []
    ttls: list[int] = []
    for _ in range(answers):
        at = _skip_name(message, at)
        kind, _, ttl_s, size = unpack_from(">HHIH", message, at)
        at += 10
        if kind == wanted:
            values.append(_value(kind, message, at=at, size=size))
            ttls.append(ttl_s)
        at += size
    return Answer(message_id, flags & 0xF, bool(flags & _TRUNCATED), values, min(ttls, default=None))


def _value(kind: int, message: bytes, *, at: int, size: int) -> str:
    data = message[at : at + size]
    if len(data) < size:
        raise IndexError
    if kind == RECORD_TYPES["A"]:
        return socket.inet_ntop(socket.AF_INET, data)
    if kind == RECORD_TYPES["AAAA"]:
        return socket.inet_ntop(socket.AF_INET6, data)
    if kind == RECORD_TYPES["TXT"]:
        return _text(data)
    if kind == RECORD_TYPES["CAA"]:
        tag_end = 2 + data[1]
        return f'{data[0]} {data[2:tag_end].decode("ascii")} "{data[tag_end:].decode("utf-8", "replace")}"'
    return _value_with_names(kind, message, at)


def _value_with_names(kind: int, message: bytes, at: int) -> str:
    if kind == RECORD_TYPES["MX"]:
        return f"{unpack_from('>H', message, at)[0]} {_name(message, at + 2)}"
    if kind == RECORD_TYPES["SRV"]:
        priority, weight, port = unpack_from(">HHH", message, at)
        return f"{priority} {weight} {port} {_name(message, at + 6)}"
    if kind == RECORD_TYPES["SOA"]:
        second = _skip_name(message, at)
        numbers = unpack_from(">IIIII", message, _skip_name(message, second))
        return " ".join([_name(message, at), _name(message, second), *map(str, numbers)])
    return _name(message, at)


def _text(data: bytes) -> str:
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts).decode("utf-8", "replace")


def _name(message: bytes, at: int) -> str:
    labels: list[str] = []
    for _ in range(_MAX_JUMPS + 128):
        size = message[at]
        if size >= _POINTER:
            at = unpack_from(">H", message, at)[0] & 0x3FFF
        elif size == 0:
            return ".".join(labels) or "."
        else:
            labels.append(message[at + 1 : at + 1 + size].decode("latin-1"))
            at += 1 + size
    raise BadMessage("a name of the answer goes in circles")


def _skip_name(message: bytes, at: int) -> int:
    while True:
        size = message[at]
        if size >= _POINTER:
            return at + 2
        at += 1 + size
        if size == 0:
            return at
