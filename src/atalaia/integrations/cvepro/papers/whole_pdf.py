"""The whole condominium's month on paper: what each flat comes to, when and where it was charged, and what is nobody's."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.statement import FlatStatement, SessionLine, Statement, Sums, flat_order, sums_of
from atalaia.integrations.cvepro.papers import bars, parts
from atalaia.integrations.cvepro.papers.fonts import letters_for
from atalaia.integrations.cvepro.papers.orders import Look
from atalaia.integrations.cvepro.papers.sheets import Column, Row, Sheets, widths
from atalaia.integrations.cvepro.papers.words import DASH, Words

_KWH = 1_000_000
_MOST_BARS = 15


def title_of(words: Words, statement: Statement) -> str:
    return words.translate(N_("Charging {month}, whole condominium"), month=statement.month)


def drawn(words: Words, look: Look, statement: Statement) -> bytes:
    _ = words.translate
    title = title_of(words, statement)
    lines = [line for flat in statement.flats for line in flat.lines]
    letters = letters_for([look.condominium, look.address, *_texts(statement)])
    sheets = Sheets(letters, words, title=title, foot=parts.foot_of(look, title), made=parts.made(words, look))
    parts.head(sheets, look, title=_("Charging of the whole condominium"), below=words.month(statement.month))
    parts.figures(sheets, words, statement.sums)
    if lines:
        _by_day(sheets, words, statement, lines)
        _largest(sheets, words, statement)
        _by_charger(sheets, words, lines)
    else:
        sheets.down(16)
        sheets.paragraph(_("Nobody charged in this month."), size=10)
    if statement.flats:
        _by_flat(sheets, words, statement)
    _unknown(sheets, words, statement.of(None))
    parts.notes(sheets, words, lines, flats=True)
    parts.under_way(sheets, words, len(statement.under_way))
    parts.tariffs(sheets, words, statement)
    return sheets.finished()


def _by_day(sheets: Sheets, words: Words, statement: Statement, lines: Sequence[SessionLine]) -> None:
    days: Counter[int] = Counter()
    for line in lines:
        days[words.local(line.began_at).day] += line.energy_mwh or 0
    last = (statement.month.moved(1).first_day - timedelta(days=1)).day
    scale = bars.rounded_scale(max(days.values()), unit=_KWH)
    sheets.heading(words.translate(N_("Energy by day, kWh")), room=130)
    bars.upright(
        sheets,
        [(str(day), days[day]) for day in range(1, last + 1)],
        scale=[(value, words.count(value // _KWH)) for value in scale],
    )


def _largest(sheets: Sheets, words: Words, statement: Statement) -> None:
    largest = sorted(
        (each for each in statement.flats if each.flat is not None), key=lambda flat: -flat.sums.energy_mwh
    )[:_MOST_BARS]
    found = [each for each in largest if each.sums.energy_mwh > 0]
    if not found:
        return
    sheets.heading(words.translate(N_("Flats with most energy")), room=60)
    bars.lying(
        sheets,
        [
            (
                called(words, each.flat),
                each.sums.energy_mwh,
                f"{words.kwh(each.sums.energy_mwh)} kWh · {words.money(each.sums.sessions_micros)}",
            )
            for each in found
        ],
    )


def _by_charger(sheets: Sheets, words: Words, lines: Sequence[SessionLine]) -> None:
    _ = words.translate
    grouped: dict[str, list[SessionLine]] = {}
    for line in lines:
        grouped.setdefault(line.charger, []).append(line)
    columns = widths(
        [
            Column(_("Charger"), 180),
            Column(_("Sessions"), 60, "right"),
            Column("kWh", 80, "right"),
            Column(_("Idle"), 60, "right"),
            Column(_("Cost"), 90, "right"),
        ]
    )
    rows = [
        _sums_of_charger(words, each or DASH, sums_of(tuple(grouped[each]))) for each in sorted(grouped, key=flat_order)
    ]
    sheets.heading(_("By charger"))
    sheets.table(columns, [*rows, _sums_of_charger(words, _("Sum"), sums_of(tuple(lines)), is_sum=True)])


def _sums_of_charger(words: Words, name: str, sums: Sums, *, is_sum: bool = False) -> Row:
    counted = (words.count(sums.sessions), words.kwh(sums.energy_mwh), words.lasted(sums.idle_s))
    return Row((name, *counted, words.money(sums.sessions_micros)), is_sum=is_sum)


def _by_flat(sheets: Sheets, words: Words, statement: Statement) -> None:
    _ = words.translate
    has_fee = statement.sums.monthly_fee_micros > 0
    columns = [
        Column(_("Flat"), 74),
        Column(_("Residents"), 132 if has_fee else 190),
        Column(_("Sessions"), 48, "right"),
        Column("kWh", 62, "right"),
        Column(_("Idle"), 46, "right"),
    ]
    if has_fee:
        columns += [Column(_("Sessions, cost"), 72, "right"), Column(_("Monthly fee"), 64, "right")]
    columns.append(Column(_("Total"), 78, "right"))
    rows = [_flat(words, each, has_fee=has_fee) for each in statement.flats]
    sums = _cells(words, _("Sum"), "", statement.sums, has_fee=has_fee)
    sheets.heading(_("By flat"))
    sheets.table(widths(columns), [*rows, Row(sums, is_sum=True)])


def _flat(words: Words, each: FlatStatement, *, has_fee: bool) -> Row:
    mark = f" {parts.MARK}" if each.sums.marked else ""
    residents = ", ".join(each.residents) or DASH
    return Row(_cells(words, called(words, each.flat) + mark, residents, each.sums, has_fee=has_fee))


def _cells(words: Words, name: str, residents: str, sums: Sums, *, has_fee: bool) -> Sequence[str]:
    cells = [name, residents, words.count(sums.sessions), words.kwh(sums.energy_mwh), words.lasted(sums.idle_s)]
    if has_fee:
        cells += [words.money(sums.sessions_micros), words.money(sums.monthly_fee_micros)]
    return [*cells, words.money(sums.total_micros)]


def _unknown(sheets: Sheets, words: Words, unknown: FlatStatement | None) -> None:
    if unknown is None or not unknown.lines:
        return
    _ = words.translate
    sheets.heading(_("Sessions of no known flat"))
    sheets.paragraph(_("Nobody here has their tag, and the vendor names no flat."), grey=0.38)
    parts.sessions(sheets, words, unknown.lines, unknown.sums, names=True)


def called(words: Words, flat: str | None) -> str:
    return flat if flat is not None else words.translate(N_("Unknown"))


def _texts(statement: Statement) -> list[str]:
    found: set[str] = set()
    for flat in statement.flats:
        found |= {flat.flat or "", *flat.residents} | {line.charger for line in flat.lines}
    unknown = statement.of(None)
    if unknown is not None:
        found |= {line.name or line.tag or "" for line in unknown.lines}
    return sorted(found)
