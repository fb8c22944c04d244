"""The way around: groups in the order of the verbs, and what each reader may open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from atalaia.core.permissions import Principal
from atalaia.core.translations import N_, Translator
from atalaia.sdk.contribution import NavItem

# Key of NavItem.group -> label and icon.
GROUPS: Final = {
    "overview": (N_("Overview"), "gauge"),
    "watch": (N_("Watch"), "eye"),
    "incidents": (N_("Incidents"), "siren"),
    "act": (N_("Act"), "bolt"),
    "connect": (N_("Connect"), "plug"),
    "serve": (N_("Serve"), "headset"),
    "admin": (N_("Administer"), "gear"),
}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str
    icon: str | None
    current: bool
    badge: int | None = None
    badge_state: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    icon: str
    items: Sequence[Link]


def navigation(items: Sequence[NavItem], *, viewer: Principal | None, path: str, translator: Translator) -> list[Group]:
    """What `viewer` may open, with the entry of `path` marked; groups without an entry are left out."""
    if viewer is None:
        return []
    allowed = sorted((item for item in items if _is_for(item, viewer)), key=lambda item: (item.order, item.href))
    current = max((item.href for item in allowed if _is_within(path, item.href)), key=len, default=None)
    return [
        Group(translator.translate(label), icon, links)
        for key, (label, icon) in GROUPS.items()
        if (links := [_link(item, current, translator) for item in allowed if item.group == key])
    ]


def first_page(items: Sequence[NavItem], viewer: Principal) -> str | None:
    """Where `viewer` begins: the first entry in use that is for them, one that is for their role before others."""
    used = (item for item in items if _is_for(item, viewer) and (item.is_in_use is None or item.is_in_use()))
    allowed = sorted(used, key=lambda item: (not item.roles, item.order))
    return allowed[0].href if allowed else None


def _is_for(item: NavItem, viewer: Principal) -> bool:
    return viewer.may(item.permission) and (not item.roles or viewer.role in item.roles)


def _link(item: NavItem, current: str | None, translator: Translator) -> Link:
    badge = (item.badge() or None) if item.badge else None
    return Link(translator.translate(item.label), item.href, item.icon, item.href == current, badge, item.badge_state)


def _is_within(path: str, href: str) -> bool:
    return path == href or (href != "/" and path.startswith(href + "/"))
