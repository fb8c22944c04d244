"""The few fields of an X.509 certificate that a probe reports.

The standard library tells them only of a certificate that it could verify, and those that it could not are the ones
that somebody has to look at. Source: RFC 5280, section 4.1; X.690 for the encoding.
"""

from __future__ import annotations

from typing import NamedTuple

_SEQUENCE, _SET, _OID, _UTC_TIME, _VERSION, _EXTENSIONS = 0x30, 0x31, 0x06, 0x17, 0xA0, 0xA3
_COMMON_NAME, _ORGANISATION, _ALT_NAMES = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x1d\x11"
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87


class Certificate(NamedTuple):
    subject: str
    issuer: str
    not_before_s: int
    not_after_s: int
    names: tuple[str, ...]


class _Item(NamedTuple):
    tag: int
    content: bytes


def parse_certificate(encoded: bytes) -> Certificate:
    """Raises ValueError when it is not a certificate."""
    try:
        return _parse(encoded)
    except (IndexError, StopIteration, UnicodeDecodeError) as failure:
        raise ValueError("not a certificate") from failure


def _parse(encoded: bytes) -> Certificate:
    fields = _items(_items(_items(encoded)[0].content)[0].content)
    if fields[0].tag == _VERSION:
        fields = fields[1:]
    _serial, _algorithm, issuer, validity, subject = fields[:5]
    before, after = _items(validity.content)
    extensions = next((item for item in fields[5:] if item.tag == _EXTENSIONS), None)
    return Certificate(
        subject=_name(subject),
        issuer=_name(issuer),
        not_before_s=_instant_s(before),
        not_after_s=_instant_s(after),
        names=_alternative_names(extensions) if extensions else (),
    )


def _items(data: bytes) -> list[_Item]:
    found: list[_Item] = []
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + size > len(data):
            raise IndexError
        found.append(_Item(tag, data[at : at + size]))
        at += size
    return found


def _name(item: _Item) -> str:
    """The common name, or else the organisation."""
    found: dict[bytes, str] = {}
    for group in _items(item.content):
        for pair in _items(group.content):
            kind, value = _items(pair.content)[:2]
            found.setdefault(kind.content, value.content.decode("utf-8", "replace"))
    return found.get(_COMMON_NAME) or found.get(_ORGANISATION) or ""


def _instant_s(item: _Item) -> int:
    text = item.content.decode("ascii").rstrip("Z")
    if item.tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    year, month, day, hour, minute, second = int(text[:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2))
    return days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Source: Howard Hinnant, chrono-compatible low-level date algorithms, days_from_civil."""
    year -= month <= 2  # noqa: PLR2004 - the year begins in March
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1  # noqa: PLR2004
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _alternative_names(extensions: _Item) -> tuple[str, ...]:
    for extension in _items(_items(extensions.content)[0].content):
        parts = _items(extension.content)
        if parts[0].tag == _OID and parts[0].content == _ALT_NAMES:
            names = _items(_items(parts[-1].content)[0].content)
            return tuple(text for name in names if (text := _alternative_name(name)))
    return ()


def _alternative_name(item: _Item) -> str:
    if item.tag == _DNS_NAME:
        return item.content.decode("latin-1")
    if item.tag == _IP_ADDRESS and len(item.content) == 4:  # noqa: PLR2004 - an IPv4 address
        return ".".join(str(byte) for byte in item.content)
    if item.tag == _IP_ADDRESS:
        return ":".join(item.content[at : at + 2].hex() for at in range(0, len(item.content), 2))
    return ""
