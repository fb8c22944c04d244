"""`atalaia capture`: captures of an upstream's own page, and the frame templates made of them."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from atalaia.app.frame_sources import frame_sources
from atalaia.captures.model.captures import Capture, Imported
from atalaia.captures.model.comparing import ActionDifference, Comparison, compare
from atalaia.captures.model.importing import MAX_FILE_BYTES
from atalaia.captures.model.recordings import Frame
from atalaia.captures.model.snippet import DEFAULT_KEYS, snippet
from atalaia.captures.model.templates import Active, FrameSource
from atalaia.captures.service import find_capture, list_captures, read_frames
from atalaia.captures.service.choosing import activate as activate_version
from atalaia.captures.service.choosing import active_templates
from atalaia.captures.service.importing import CaptureFile, Lessons, import_capture, in_force_by_action
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.stores import opened_store, operator
from atalaia.core.errors import AtalaiaError, InvalidField, TooLarge

EXIT_DIFFERENT = 1
EXIT_TROUBLE = 2  # as diff(1): 1 means that they differ

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Upstream = Annotated[str | None, typer.Option(help="Whose frames they are; needed where there are several upstreams.")]


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="HAR, net-export log or sniffer lines; - for standard input.")],
    *,
    upstream: Upstream = None,
    name: Annotated[str, typer.Option(help="What the capture is called in lists.")] = "",
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Make frame templates of what the real page was seen to send. Secrets are taken out before anything is kept.

    Example: atalaia capture import operation.har --upstream traffilog
    """
    wanted, source = _source(upstream)
    read = _read(file)
    with opened_store(data_dir, database_url) as store:
        lessons = Lessons(read, source, store.read_now(lambda tx: in_force_by_action(tx, wanted, source)))
        done = store.write_now(
            lambda tx: import_capture(
                tx,
                operator(),
                read,
                lessons,
                upstream=wanted,
                source=source,
                name=name or ("" if file == "-" else Path(file).stem),
                now=datetime.now(UTC),
            )
        )
    if json:
        _print_json(done)
    else:
        _say_imported(done)
    return 0


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="What was captured: a file, or a capture's id.")],
    b: Annotated[str, typer.Argument(help="What is held against it.")],
    *,
    upstream: Upstream = None,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Compare two captures by token and type, action by action.

    The exit status is 0 where they have the same form, 1 where they differ, 2 where one can't be read.

    Example: atalaia capture diff page.har own.har
    """
    try:
        source = _source(upstream)[1] if upstream or len(frame_sources()) == 1 else FrameSource("")
        frames = [_frames(each, data_dir, database_url) for each in (a, b)]
    except AtalaiaError as error:
        typer.echo(f"atalaia: {error}", err=True)
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        raise typer.Exit(EXIT_TROUBLE) from error
    comparison = compare(*frames, variables=source.variables)
    if json:
        _print_json({"same": comparison.is_same, "actions": comparison.actions})
    else:
        _say_comparison(comparison)
    if not comparison.is_same:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command(name="list")
def list_(
    upstream: Upstream = None, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False
) -> int:
    """List the captures, the newest first.

    Example: atalaia capture list --json
    """
    with opened_store(data_dir, database_url) as store:
        found: list[Capture] = store.read_now(lambda tx: list_captures(tx, upstream=upstream))
    if json:
        _print_json(found)
        return 0
    for each in found:
        when = f"{each.imported_at:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{each.id}  {when}  {each.upstream:12} {each.format:10} {each.sent:5} sent  {each.name}")
    return 0


@app.command()
def templates(
    upstream: Upstream = None, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False
) -> int:
    """Show the frame templates in force: which version, and what varies in them.

    Example: atalaia capture templates --upstream traffilog
    """
    wanted, source = _source(upstream)
    with opened_store(data_dir, database_url) as store:
        active = store.read_now(lambda tx: active_templates(tx, wanted, source))
    if json:
        _print_json({"etag": active.etag, "templates": active.templates, "actions": active.versions})
    else:
        _say_templates(active)
    return 0


@app.command()
def activate(
    action: Annotated[str, typer.Argument(help="The action, as `capture templates` names it.")],
    version: Annotated[int, typer.Argument(help="The version to put in force; 0 is the built-in one.", min=0)],
    *,
    upstream: Upstream = None,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
) -> int:
    """Put another version of an action's templates in force; jobs have it within 30 s.

    Example: atalaia capture activate execute_action_opr 1
    """
    wanted, source = _source(upstream)
    with opened_store(data_dir, database_url) as store:
        store.write_now(
            lambda tx: activate_version(
                tx,
                operator(),
                upstream=wanted,
                action=action,
                version=version,
                source=source,
                now=datetime.now(UTC),
            )
        )
    typer.echo(f"{action}: version {version} is in force.")
    return 0


@app.command()
def sniffer(
    key: Annotated[
        list[str] | None, typer.Option(help="A frame is printed when it has this key; may be given again.")
    ] = None,
) -> int:
    """Print JavaScript to paste into the page's console: it prints what the page sends, without secrets.

    Example: atalaia capture sniffer | xclip
    """
    typer.echo(snippet(key or DEFAULT_KEYS), nl=False)
    return 0


def _source(upstream: str | None) -> tuple[str, FrameSource]:
    """Raises: InvalidField: there is no such upstream, or none is named where there are several."""
    sources = frame_sources()
    if upstream is None and len(sources) == 1:
        return next(iter(sources.items()))
    if upstream is None or upstream not in sources:
        raise InvalidField(
            "upstream", "there is no such upstream; there are: {known}", known=", ".join(sorted(sources)) or "-"
        )
    return upstream, sources[upstream]


def _read(file: str) -> CaptureFile:
    """Raises: BadParameter (no such file), TooLarge, CaptureRefused."""
    limit = MAX_FILE_BYTES + 1
    try:
        if file == "-":
            return CaptureFile(sys.stdin.buffer.read(limit))
        path = Path(file)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLarge("a capture has at most {limit} MB", limit=MAX_FILE_BYTES // 1024 // 1024)
        return CaptureFile(path.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror or 'it cannot be read'}", param_hint="FILE") from error


def _frames(file_or_id: str, data_dir: Path, database_url: str | None) -> Sequence[Frame]:
    if file_or_id == "-" or Path(file_or_id).exists():
        return _read(file_or_id).recording.frames
    with opened_store(data_dir, database_url) as store:
        return store.read_now(lambda tx: read_frames(tx, find_capture(tx, file_or_id).id))


def _say_imported(done: Imported) -> None:
    capture = done.capture
    if not done.is_new:
        typer.echo(f"This file was imported before, as {capture.name} ({capture.id}).")
        return
    typer.echo(f"{capture.name} ({capture.id}): {capture.sent} sent, {capture.received} received")
    for action in capture.actions:
        typer.echo(f"  {action}: {'new template, in force' if action in done.changed else 'as before'}")
    for note in capture.notes:
        typer.echo(note.text.format(**note.params), err=True)


def _say_comparison(comparison: Comparison) -> None:
    for each in comparison.actions:
        typer.echo(f"{each.action}: {_standing(each)}")
        for difference in each.differences:
            numbers = ", ".join(f"#{n}" for n in difference.frames[:8])
            typer.echo(f"  {difference.text}  [{numbers}{', …' if len(difference.frames) > 8 else ''}]")  # noqa: PLR2004 - as many as are shown


def _standing(each: ActionDifference) -> str:
    words = {"only_in_a": "only in the first", "only_in_b": "only in the second", "same": "same", "differs": "differs"}
    return f"{words[each.standing]} ({each.frames_a} and {each.frames_b} frames)"


def _say_templates(active: Active) -> None:
    for version in sorted(active.versions, key=lambda each: each.action):
        number = f"version {version.version}" if version.version else "built in"
        typer.echo(f"{version.action}: {number}")
        for template in version.templates:
            places = ", ".join(f"{slot.path}:{slot.type}" for slot in template.slots)
            typer.echo(f"  {template.variant or '-'}  {template.encoding}  {places}")


def _print_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value).decode())
