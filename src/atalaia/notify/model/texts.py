"""What people read: title, plain text and HTML, in the channel's language."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from atalaia.core.formats import span
from atalaia.core.translations import N_, Translator
from atalaia.notify.model.message import Item
from atalaia.notify.model.notice import MessageEvent
from atalaia.notify.model.severity import Severity

SEVERITY_WORDS = {
    Severity.INFO: N_("Information"),
    Severity.WARNING: N_("Warning"),
    Severity.CRITICAL: N_("Critical"),
}
_SHAPES = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.CRITICAL: "🔴"}
_LISTED = 50
_LISTED_SHORT = 5
_SHORT = 200


def write_title(event: MessageEvent, items: Sequence[Item], *, now: datetime, translator: Translator) -> str:
    """In words alone; `mark_of` gives the sign that goes before it where there is a font for it."""
    first = items[0].subject.incident
    if event is MessageEvent.TEST:
        return translator.translate("Test message from Atalaia")
    if len(items) > 1:
        return _group_title(event, len(items), translator)
    title, age = first.title_in(translator.translate), span(now - first.opened_at)
    if event is MessageEvent.RECOVERED:
        return translator.translate("Recovered after {age}: {title}", age=age, title=title)
    if event is MessageEvent.REPEATED:
        return translator.translate("Still open after {age}: {title}", age=age, title=title)
    return f"{translator.translate(SEVERITY_WORDS[first.severity])}: {title}"


def _group_title(event: MessageEvent, count: int, translator: Translator) -> str:
    if event is MessageEvent.REPEATED:
        return translator.ngettext("{n} incident is still open", "{n} incidents are still open", count)
    if event is MessageEvent.RECOVERED:
        return translator.ngettext("{n} incident has recovered", "{n} incidents have recovered", count)
    return translator.ngettext("{n} more incident", "{n} more incidents", count)


def mark_of(event: MessageEvent, items: Sequence[Item]) -> str:
    """What a phone shows at a glance."""
    if event is MessageEvent.TEST:
        return ""
    if event is MessageEvent.RECOVERED:
        return "✅ "
    worst = max((item.subject.incident.severity for item in items), key=lambda severity: severity.rank)
    return f"{_SHAPES[worst]} "


def write_text(event: MessageEvent, items: Sequence[Item], *, translator: Translator) -> str:
    if event is MessageEvent.TEST:
        body = translator.translate("This channel works. Nothing has happened.")
        return f"{body}\n\n{items[0].url}"
    if len(items) == 1:
        return "\n".join(_facts(items[0], translator))
    titles = [item.subject.incident.title_in(translator.translate) for item in items[:_LISTED]]
    lines = [f"• {title}\n  {item.url}" for title, item in zip(titles, items, strict=False)]
    return "\n".join([*lines, *_rest(items, translator)])


def write_short(title: str, event: MessageEvent, items: Sequence[Item], *, translator: Translator) -> str:
    """For a phone: title, why, link; of several incidents the first few. At most some 1000 characters."""
    if event is MessageEvent.TEST:
        return f"{title}\n{write_text(event, items, translator=translator)}"
    if len(items) == 1:
        why = items[0].subject.incident.why_in(translator.retell)
        reason = _cut(why) if event is not MessageEvent.RECOVERED else ""
        return "\n".join(part for part in (_cut(title), reason, items[0].url) if part)
    titles = [item.subject.incident.title_in(translator.translate) for item in items[:_LISTED_SHORT]]
    lines = [f"• {_cut(each)}\n  {item.url}" for each, item in zip(titles, items, strict=False)]
    return "\n".join([title, *lines, *_rest(items, translator, listed=_LISTED_SHORT)])


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHORT else words[: _SHORT - 1] + "…"


def _facts(item: Item, translator: Translator) -> list[str]:
    incident, check = item.subject.incident, item.subject.check
    why = incident.why_in(translator.retell)
    lines = [why] if why else []
    if check is not None:
        lines.append(translator.translate("Check: {name}", name=check.name))
        if check.labels:
            lines.append(", ".join(f"{name}={value}" for name, value in sorted(check.labels.items())))
    if incident.contacts:
        lines.append(translator.translate("Contacts: {contacts}", contacts=incident.contacts))
    if incident.runbook:
        lines += ["", translator.translate("What to do:"), translator.translate(incident.runbook)]
    return [*lines, "", item.url]


def _rest(items: Sequence[Item], translator: Translator, *, listed: int = _LISTED) -> list[str]:
    more = len(items) - listed
    return [translator.ngettext("and {n} more", "and {n} more", more)] if more > 0 else []


def write_html(title: str, text: str, items: Sequence[Item]) -> str:
    """For mail readers: no style sheet, no picture, nothing fetched."""
    safe = escape(text)
    for item in items:
        address = escape(item.url)
        safe = safe.replace(address, f'<a href="{address}">{address}</a>')
    body = safe.replace("\n", "<br>\n")
    head = f'<!doctype html>\n<html><body style="font-family:sans-serif">\n<h2>{escape(title)}</h2>'
    return f"{head}\n<p>{body}</p>\n</body></html>\n"
