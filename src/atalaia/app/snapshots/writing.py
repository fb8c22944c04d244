"""A snapshot as Markdown, for a file, a repository, or to paste."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from atalaia.app.snapshots.facts import Health, Installation, RunnerFact, Snapshot, TokenFact, UpstreamFact
from atalaia.core.redaction import scrub

SUFFIX: Final = "_snapshot.md"
_TICKS = re.compile(r"`+")


def file_name(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d_%H%M%S}{SUFFIX}"


def markdown(snapshot: Snapshot, *, here: Installation | None = None) -> str:
    """`here`: the machine that asks, where it is another one than the hub's."""
    parts = [
        _head(snapshot),
        _health(snapshot.health),
        _installation("Installation", snapshot.installation),
        _installation("Installation on the machine that asked", here) if here else [],
        _upstreams(snapshot.upstreams),
        _runners("Workers", snapshot.workers),
        _runners("Agents", snapshot.agents),
        _templates(snapshot),
        ["## Log", "", *(_fenced(snapshot.log, "json") if snapshot.log else ["None."])],
        _units(snapshot.installation, here),
    ]
    return scrub("\n\n".join("\n".join(part) for part in parts if part) + "\n")


def _head(snapshot: Snapshot) -> list[str]:
    lines = [
        f"# Snapshot of {snapshot.installation.host}, {_time(snapshot.taken_at)}",
        "",
        f"Taken because: {_line(snapshot.reason)}.",
    ]
    lines += ["", *(f"> {line}" for line in snapshot.note.splitlines())] if snapshot.note.strip() else []
    if snapshot.troubles:
        lines += ["", "Could not be asked:", "", *(f"- {_line(trouble)}" for trouble in snapshot.troubles)]
    installed = snapshot.installation
    rows = [
        ("Atalaia", f"{installed.version} ({installed.commit or 'commit unknown'})"),
        ("Address", snapshot.public_url),
        ("Store", snapshot.store),
        ("Python", installed.python),
        ("System", installed.system),
    ]
    return [*lines, "", *_table(("what", "which"), rows)]


def _health(health: Health) -> list[str]:
    if health.trouble is not None:
        return ["## Health", "", f"unknown: {_line(health.trouble)}"]
    version = f"{health.version} ({health.commit or 'commit unknown'})"
    return [
        "## Health",
        "",
        f"**{health.status}**, version {version}, up for {health.uptime:,.0f} s",
        "",
        *_table(("check", "well"), [(name, "yes" if well else "**no**") for name, well in health.checks.items()]),
    ]


def _installation(title: str, installed: Installation) -> list[str]:
    checkout = installed.checkout
    lines = [f"## {title}", "", f"{installed.host}: `{installed.folder}`, version {installed.version}"]
    if checkout is None:
        return [*lines, "", "Not a git checkout."]
    state = f"**dirty**, {len(checkout.changed)} changed" if checkout.changed else "clean"
    rows = [
        ("branch", checkout.branch),
        ("commit", f"{checkout.commit} {checkout.subject}"),
        ("state", state),
    ]
    return [
        *lines,
        "",
        *_table(("git", ""), rows),
        *(["", *_fenced(checkout.changed, "text")] if checkout.changed else []),
    ]


def _upstreams(upstreams: Sequence[UpstreamFact]) -> list[str]:
    rows = [
        (
            f"{each.title} ({each.name})",
            each.state,
            f"{each.calls_last_hour} calls"
            + (f", {each.success_rate:.0%} good" if each.success_rate is not None else ""),
            account.account,
            account.breaker,
            _token(account),
            account.error or each.reason or "",
        )
        for each in upstreams
        for account in each.accounts
    ]
    columns = ("upstream", "state", "last hour", "account", "breaker", "token", "trouble")
    return ["## Upstreams and tokens", "", *(_table(columns, rows) if rows else ["None."])]


def _token(account: TokenFact) -> str:
    if not account.has_token:
        return "none"
    until = f"until {_time(account.expires_at)}" if account.expires_at else "without an end"
    renewed = f", renewed {_time(account.renewed_at)}" if account.renewed_at else ""
    return f"{account.length} characters, {until}{renewed}, by {account.source or 'nobody'}"


def _runners(title: str, runners: Sequence[RunnerFact]) -> list[str]:
    rows = [
        (
            each.name,
            each.state,
            f"{each.version}{f' ({each.commit})' if each.commit else ''}",
            _time(each.seen_at),
            each.address,
            each.detail,
        )
        for each in runners
    ]
    columns = ("name", "state", "version", "last seen", "address", "what")
    return [f"## {title}", "", *(_table(columns, rows) if rows else ["None."])]


def _templates(snapshot: Snapshot) -> list[str]:
    rows = [
        (each.upstream, each.action, f"version {each.version}" if each.version else "built in", each.etag[:12])
        for each in snapshot.templates
    ]
    columns = ("upstream", "action", "in force", "etag of all")
    return ["## Frame templates", "", *(_table(columns, rows) if rows else ["None."])]


def _units(*installed: Installation | None) -> list[str]:
    lines = ["## systemd"]
    for each in installed:
        for unit in each.units if each else ():
            lines += ["", f"`{each.host if each else ''}:{unit.path}`", "", *_fenced(unit.text.splitlines(), "ini")]
    return lines if len(lines) > 1 else [*lines, "", "No unit files."]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(_line(value) for value in row)} |"


def _line(value: str) -> str:
    """What others wrote must not begin a row, a cell or a tag of its own."""
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


def _fenced(lines: Sequence[str], language: str) -> list[str]:
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def _time(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "never"
