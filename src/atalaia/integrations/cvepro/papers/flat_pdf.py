"""A flat's month on paper."""

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.statement import FlatStatement, Statement
from atalaia.integrations.cvepro.papers import parts
from atalaia.integrations.cvepro.papers.fonts import letters_for
from atalaia.integrations.cvepro.papers.orders import Look
from atalaia.integrations.cvepro.papers.sheets import Column, Row, Sheets, widths
from atalaia.integrations.cvepro.papers.words import Words


def title_of(words: Words, statement: Statement, flat: str) -> str:
    return words.translate(N_("Charging {month}, flat {flat}"), month=statement.month, flat=flat)


def drawn(words: Words, look: Look, statement: Statement, own: FlatStatement) -> bytes:
    _ = words.translate
    flat = own.flat or ""
    title = title_of(words, statement, flat)
    names = _names(own)
    letters = letters_for([look.condominium, look.address, flat, *own.residents, *names, *_chargers(own)])
    sheets = Sheets(letters, words, title=title, foot=parts.foot_of(look, title), made=parts.made(words, look))
    below = [words.month(statement.month)]
    if own.residents:
        below.append(", ".join(own.residents))
    parts.head(sheets, look, title=_("Charging of flat {flat}", flat=flat), below=" · ".join(below))
    parts.figures(sheets, words, own.sums)
    if own.lines:
        sheets.heading(_("Sessions"))
        parts.sessions(sheets, words, own.lines, own.sums, names=len(names) > 1)
    else:
        sheets.down(16)
        sheets.paragraph(_("Nobody of this flat charged in this month."), size=10)
    _total(sheets, words, own)
    parts.notes(sheets, words, own.lines)
    parts.under_way(sheets, words, sum(line.flat == own.flat for line in statement.under_way))
    parts.tariffs(sheets, words, statement)
    return sheets.finished()


def _total(sheets: Sheets, words: Words, own: FlatStatement) -> None:
    """Where there is more to pay than the sessions."""
    if not own.sums.monthly_fee_micros:
        return
    _, sums = words.translate, own.sums
    sheets.heading(_("To pay"))
    columns = widths([Column("", 400), Column(_("Cost"), 100, "right")])
    rows = [
        Row((_("Sessions"), words.money(sums.sessions_micros))),
        Row((_("Monthly fee"), words.money(sums.monthly_fee_micros))),
        Row((_("Total"), words.money(sums.total_micros)), is_sum=True),
    ]
    sheets.table(columns, rows)


def _names(own: FlatStatement) -> list[str]:
    return list(dict.fromkeys(line.name for line in own.lines if line.name))


def _chargers(own: FlatStatement) -> set[str]:
    return {line.charger for line in own.lines}
