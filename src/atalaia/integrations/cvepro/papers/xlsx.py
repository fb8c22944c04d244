"""The month as a spreadsheet: of one flat, or of the whole condominium. A sheet with the sums, one with the sessions."""

from collections.abc import Sequence

from atalaia.integrations.cvepro.model.sessions import DOUBTS
from atalaia.integrations.cvepro.model.statement import FlatStatement, SessionLine, Statement
from atalaia.integrations.cvepro.papers import books, parts
from atalaia.integrations.cvepro.papers.books import COUNT, ENERGY, LASTED, MONEY, Book, Field, Value
from atalaia.integrations.cvepro.papers.orders import Look
from atalaia.integrations.cvepro.papers.whole_pdf import called
from atalaia.integrations.cvepro.papers.words import Words


def drawn(words: Words, look: Look, statement: Statement, flats: Sequence[FlatStatement], *, title: str) -> bytes:
    _ = words.translate
    book = Book(words, title=title)
    above = [title, *(part for part in (look.condominium, look.address) if part), parts.made(words, look)]
    book.table(_("Summary"), above, _summary(words), [_flat(words, each) for each in flats])
    lines = sorted((line for each in flats for line in each.lines), key=lambda line: (line.began_at, line.id))
    bands = _bands(statement)
    rows = [_session(words, line, bands) for line in lines]
    book.table(_("Sessions"), above[:1], _fields(words, bands), rows)
    return book.finished()


def _summary(words: Words) -> list[Field]:
    _ = words.translate
    return [
        Field(_("Flat"), 16),
        Field(_("Residents"), 34),
        Field(_("Sessions"), 10, COUNT, is_summed=True),
        Field("kWh", 13, ENERGY, is_summed=True),
        Field(_("Idle"), 10, LASTED, is_summed=True),
        Field(_("Sessions, cost"), 15, MONEY, is_summed=True),
        Field(_("Monthly fee"), 13, MONEY, is_summed=True),
        Field(_("Total"), 15, MONEY, is_summed=True),
        Field(_("Doubtful sessions"), 12, COUNT, is_summed=True),
    ]


def _flat(words: Words, each: FlatStatement) -> list[Value]:
    sums = each.sums
    return [
        called(words, each.flat),
        ", ".join(each.residents),
        sums.sessions,
        books.kwh(sums.energy_mwh),
        books.lasted(sums.idle_s),
        books.money(sums.sessions_micros),
        books.money(sums.monthly_fee_micros),
        books.money(sums.total_micros),
        sums.marked,
    ]


def _fields(words: Words, bands: Sequence[str]) -> list[Field]:
    _ = words.translate
    return [
        Field(_("Began"), 17, "@"),
        Field(_("Ended"), 17, "@"),
        Field(_("Lasted"), 9, LASTED),
        Field(_("Flat"), 14),
        Field(_("Resident"), 26),
        Field(_("Tag"), 16),
        Field(_("Charger"), 22),
        Field("kWh", 12, ENERGY, is_summed=True),
        *(Field(f"kWh {band or _('Other times')}", 13, ENERGY, is_summed=True) for band in bands),
        Field(_("Idle"), 9, LASTED, is_summed=True),
        Field(_("Cost"), 14, MONEY, is_summed=True),
        Field(_("Doubtful"), 40),
        Field(_("Session"), 22),
    ]


def _bands(statement: Statement) -> list[str]:
    """Of all tariffs in force; those outside all bands are "". None where no tariff has any."""
    named = dict.fromkeys(band.name for tariff in statement.tariffs for band in tariff.terms.bands)
    return [*named, ""] if named else []


def _session(words: Words, line: SessionLine, bands: Sequence[str]) -> list[Value]:
    return [
        words.local(line.began_at),
        words.local(line.stopped_at) if line.stopped_at else None,
        books.lasted(line.lasted_s),
        called(words, line.flat),
        line.name,
        line.tag,
        line.charger,
        books.kwh(line.energy_mwh),
        *(_in_band(line, band) for band in bands),
        books.lasted(line.idle_s),
        books.money(line.cost_micros),
        "; ".join(words.translate(DOUBTS.get(doubt, doubt)) for doubt in line.doubts),
        line.id,
    ]


def _in_band(line: SessionLine, name: str) -> Value:
    found = [part.energy_mwh for part in line.parts if part.kind == "energy" and part.name == name]
    return books.kwh(sum(found)) if found else None
