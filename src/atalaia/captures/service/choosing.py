"""Which version of an action's templates is in force, and the choice of another one."""

import hashlib
from datetime import datetime

import msgspec

from atalaia.access import audit
from atalaia.captures.events import TemplatesChanged
from atalaia.captures.model.templates import BUILT_IN, ActionVersion, Active, FrameSource
from atalaia.captures.queries import templates as queries
from atalaia.captures.service.importing import TOPIC, built_in_version
from atalaia.core.errors import NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx

NO_ACTION = N_("there is no template of that action")


def active_templates(tx: Tx, upstream: str, source: FrameSource) -> Active:
    """All templates in force, by `Template.key` (the action, and the variant where it has several)."""
    of_captures = {each.action: each for each in queries.active(tx, upstream)}
    built_in = {
        action: built_in_version(upstream, action, templates)
        for action, templates in source.built_in_by_action().items()
    }
    versions = list((built_in | of_captures).values())
    templates = {template.key: template for each in versions for template in each.templates}
    etag = hashlib.sha256(msgspec.json.encode(templates, order="sorted")).hexdigest()[:32]
    return Active(etag, templates, versions)


def history(tx: Tx, upstream: str, action: str, source: FrameSource) -> tuple[int, list[ActionVersion]]:
    """The version in force, and all there are, the newest first.

    Raises:
        NotFound: no capture and nothing built in has this action.
    """
    found = queries.history(tx, upstream, action) if "\0" not in action else []  # PostgreSQL takes no NUL in a text
    built_in = source.built_in_by_action().get(action)
    if built_in:
        found.append(built_in_version(upstream, action, built_in))
    if not found:
        raise NotFound(NO_ACTION)
    return queries.chosen(tx, upstream).get(action, BUILT_IN), found


def activate(
    tx: Tx,
    principal: Principal,
    *,
    upstream: str,
    action: str,
    version: int,
    source: FrameSource,
    now: datetime,
    address: str | None = None,
) -> ActionVersion:
    """Put a version in force; the one that is already stays without a word.

    Raises:
        NotFound: there is no such action or version.
    """
    before, versions = history(tx, upstream, action, source)
    chosen = next((each for each in versions if each.version == version), None)
    if chosen is None:
        raise NotFound(N_("there is no version {version} of that action's templates"), version=version)
    if version != before:
        queries.choose(tx, upstream=upstream, actions=[(action, version)], by=principal.name, now=now)
        audit.record(
            tx,
            principal,
            "template.activated",
            f"template:{upstream}/{action}",
            before={"version": before},
            after={"version": version},
            address=address,
            now=now,
        )
        tx.publish(TOPIC)
        tx.emit(TemplatesChanged(upstream=upstream, actions=[action], capture_id=None, by=principal.name, at=now))
    return chosen
