"""The process that draws: an order on its input, the papers on its output, one after the other.

Drawing is a second of pure computing for some fifty papers: within the hub it would hold up whoever waits for an answer.
It ends by itself when nobody reads any more.
"""

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from atalaia.integrations.cvepro.model.reports import Format
from atalaia.integrations.cvepro.papers import flat_pdf, whole_pdf, xlsx
from atalaia.integrations.cvepro.papers.orders import LENGTH_BYTES, Order, Printed, Wanted, framed
from atalaia.integrations.cvepro.papers.words import Words

_NICENESS: Final = 10


def printed(order: Order) -> Iterator[Printed]:
    words = Words(order.look.locale, order.statement.zone)
    for wanted in order.wanted:
        title = _title(words, order, wanted)
        yield Printed(flat=wanted.flat, format=wanted.format, title=title, content=_drawn(words, order, wanted, title))


def _title(words: Words, order: Order, wanted: Wanted) -> str:
    if wanted.flat is None:
        return whole_pdf.title_of(words, order.statement)
    return flat_pdf.title_of(words, order.statement, wanted.flat)


def _drawn(words: Words, order: Order, wanted: Wanted, title: str) -> bytes:
    look, statement = order.look, order.statement
    own = None if wanted.flat is None else order.of(wanted.flat)
    if wanted.format is Format.XLSX:
        return xlsx.drawn(words, look, statement, statement.flats if own is None else [own], title=title)
    if own is None:
        return whole_pdf.drawn(words, look, statement)
    return flat_pdf.drawn(words, look, statement, own)


def main(given: BinaryIO, out: BinaryIO) -> None:
    length = int.from_bytes(given.read(LENGTH_BYTES))
    order = msgspec.msgpack.decode(given.read(length), type=Order)
    try:
        for paper in printed(order):
            out.write(framed(paper))
            out.flush()
    except BrokenPipeError:
        os._exit(0)  # whoever asked is gone; nothing is to be said to anybody


if __name__ == "__main__":
    os.nice(_NICENESS)
    main(sys.stdin.buffer, sys.stdout.buffer)
