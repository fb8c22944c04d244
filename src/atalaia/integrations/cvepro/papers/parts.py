"""What the papers of a flat and of the whole condominium share: head, sessions, tariffs, notes on what is doubtful."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.pricing import Part
from atalaia.integrations.cvepro.model.sessions import DOUBTS
from atalaia.integrations.cvepro.model.statement import SessionLine, Statement, Sums
from atalaia.integrations.cvepro.model.tariffs import Band, Tariff
from atalaia.integrations.cvepro.papers.orders import Look
from atalaia.integrations.cvepro.papers.sheets import GREY, LEFT, RIGHT, Column, Row, Sheets, widths
from atalaia.integrations.cvepro.papers.words import DASH, Words

MARK: Final = "*"
_DAYS: Final = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_EVERY_DAY: Final = 7
_MINUTE_S: Final = 60
_MISSING: Final[Sequence[tuple[Callable[[SessionLine], bool], str]]] = (
    (lambda line: line.started_at is None, N_("When it began is not told: this is when it ended")),
    (lambda line: line.energy_mwh is None, N_("Its energy is not told")),
    (lambda line: line.cost_micros is None, N_("What it costs can't be told")),
)


def made(words: Words, look: Look) -> str:
    return words.translate(N_("Made on {at} ({zone})"), at=words.full(look.made_at), zone=words.zone.key)


def foot_of(look: Look, title: str) -> str:
    return " · ".join(part for part in (title, look.condominium) if part)


def head(sheets: Sheets, look: Look, *, title: str, below: str) -> None:
    if look.condominium:
        sheets.text(LEFT, sheets.y, look.condominium, size=10, bold=True, within=RIGHT - LEFT)
        sheets.down(13)
    if look.address:
        sheets.text(LEFT, sheets.y, look.address, size=8, grey=GREY, within=RIGHT - LEFT)
        sheets.down(13)
    if look.condominium or look.address:
        sheets.rule(sheets.y + 4, GREY)
        sheets.down(20)
    sheets.title(title)
    sheets.down(4)
    sheets.paragraph(below, size=9, grey=GREY)


def figures(sheets: Sheets, words: Words, sums: Sums) -> None:
    _ = words.translate
    sheets.figures(
        [
            (_("Sessions"), words.count(sums.sessions)),
            (_("Energy"), f"{words.kwh(sums.energy_mwh)} kWh"),
            (_("Plugged in, idle"), f"{words.lasted(sums.idle_s)} h"),
            (_("Total"), words.money(sums.total_micros)),
        ]
    )


def sessions(sheets: Sheets, words: Words, lines: Sequence[SessionLine], sums: Sums, *, names: bool) -> None:
    """`names`: who charged stands beside the charger."""
    _ = words.translate
    columns = widths(
        [
            Column(_("Began"), 76),
            Column(_("Charger and who charged") if names else _("Charger"), 174 if names else 146),
            Column(_("Lasted"), 46, "right"),
            Column("kWh", 56, "right"),
            Column(_("Price"), 72, "right"),
            Column(_("Idle"), 42, "right"),
            Column(_("Cost"), 72, "right"),
        ]
    )
    rows = [_session(words, line, names=names) for line in lines]
    idle = words.lasted(sums.idle_s)
    cells = (_("Sum"), "", "", words.kwh(sums.energy_mwh), "", idle, words.money(sums.sessions_micros))
    sheets.table(columns, [*rows, Row(cells, is_sum=True)])


def _session(words: Words, line: SessionLine, *, names: bool) -> Row:
    mark = f" {MARK}" if line.is_marked else ""
    where = " · ".join(part for part in (line.charger, (line.name or line.tag) if names else None) if part)
    is_simple = not line.parts or (len(line.parts) == 1 and not line.parts[0].name)
    cells = (
        words.at(line.began_at) + mark,
        where or DASH,
        words.lasted(line.lasted_s),
        words.kwh(line.energy_mwh),
        _price(words, line) if is_simple else "",
        words.lasted(line.idle_s) if line.idle_s else DASH,
        words.money(line.cost_micros),
    )
    return Row(cells, () if is_simple else [_part(words, part) for part in line.parts])


def _price(words: Words, line: SessionLine) -> str:
    if line.parts:
        return words.price(line.parts[0].price_micros)
    return words.translate(N_("vendor's")) if line.cost_micros is not None else DASH


def _part(words: Words, part: Part) -> Sequence[str]:
    _ = words.translate
    cost = words.money(part.cost_micros)
    match part.kind:
        case "session":
            return ("", _("Fee per session"), "", "", "", "", cost)
        case "idle":
            idle, price = words.lasted(part.minutes * _MINUTE_S), f"{words.price(part.price_micros)}/min"
            return ("", _("Idle time past the grace"), "", "", price, idle, cost)
        case _:
            name = part.name or _("Other times")
            return ("", name, "", words.kwh(part.energy_mwh), words.price(part.price_micros), "", cost)


def notes(sheets: Sheets, words: Words, lines: Iterable[SessionLine], *, flats: bool = False) -> None:
    """What the asterisks mean, reason by reason, with the sessions; `flats`: and whose they are."""
    marked = sorted((line for line in lines if line.is_marked), key=lambda line: line.began_at)
    if not marked:
        return
    _ = words.translate
    sheets.room(40)
    sheets.down(8)
    sheets.paragraph(
        f"{MARK} " + _("Doubtful figures are shown and counted as they were told; what is not told counts as nothing:"),
        size=7.5,
        bold=True,
    )
    for doubt, text in DOUBTS.items():
        _note(sheets, words, _(text), [line for line in marked if doubt in line.doubts], flats=flats)
    for is_missing, text in _MISSING:
        _note(sheets, words, _(text), [line for line in marked if is_missing(line)], flats=flats)


def _note(sheets: Sheets, words: Words, text: str, found: Sequence[SessionLine], *, flats: bool) -> None:
    if not found:
        return
    named = (words.at(line.began_at) + (f" ({line.flat})" if flats and line.flat else "") for line in found)
    sheets.paragraph(f"{text}: {', '.join(named)}.", size=7.5, grey=GREY)


def under_way(sheets: Sheets, words: Words, count: int) -> None:
    if count:
        sheets.down(6)
        text = words.ngettext(
            "{n} session of this month is still under way, and not in this report.",
            "{n} sessions of this month are still under way, and not in this report.",
            count,
        )
        sheets.paragraph(text, size=7.5, grey=GREY)


def tariffs(sheets: Sheets, words: Words, statement: Statement) -> None:
    _ = words.translate
    sheets.heading(_("Tariff") if len(statement.tariffs) <= 1 else _("Tariffs"), room=50)
    for tariff in statement.tariffs:
        _tariff(sheets, words, tariff)
    if not statement.tariffs:
        sheets.paragraph(_("No tariff was in force: costs are as the vendor says."))


def _tariff(sheets: Sheets, words: Words, tariff: Tariff) -> None:
    _, terms = words.translate, tariff.terms
    since = _("In force since {day}", day=words.day(tariff.first_day))
    columns = widths([Column(since, 150), Column(_("When"), 240), Column(_("Price"), 110, "right")])
    usual = (_("Other times"), "") if terms.bands else (_("Energy"), _("At all times"))
    rows = [Row((band.name, _band(words, band), f"{words.price(band.price_micros)}/kWh")) for band in terms.bands]
    rows.append(Row((*usual, f"{words.price(terms.price_micros)}/kWh")))
    if terms.session_fee_micros:
        rows.append(Row((_("Fee per session"), "", words.price(terms.session_fee_micros))))
    if terms.idle_fee_micros:
        grace = _("after {n} min of grace", n=terms.idle_grace_min) if terms.idle_grace_min else ""
        rows.append(Row((_("Idle time"), grace, f"{words.price(terms.idle_fee_micros)}/min")))
    if terms.monthly_fee_micros:
        rows.append(Row((_("Monthly fee"), _("each flat"), words.price(terms.monthly_fee_micros))))
    sheets.table(columns, rows)


def _band(words: Words, band: Band) -> str:
    _ = words.translate
    days = _("every day") if len(band.days) == _EVERY_DAY else ", ".join(_(_DAYS[day - 1]) for day in band.days)
    return _("{days}, {begins} to {ends}", days=days, begins=band.begins, ends=band.ends)
