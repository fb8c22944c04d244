"""`atalaia user`: people's accounts, also while a hub runs."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from atalaia.access.model import Person
from atalaia.access.passwords import PasswordHasher, check_rules
from atalaia.access.service.people import (
    PasswordLink,
    PersonChange,
    change_person,
    create_person,
    find_person,
    list_people,
    make_password_link,
    normal_email,
    parse_role,
    remove_second_factor,
)
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.stores import opened_store, operator
from atalaia.sdk.transaction import Tx
from atalaia.store.page_settings import read_page_settings
from atalaia.store.store import Store

_BATCH = 200
_DEFAULT_URL = "http://127.0.0.1:8400"

app = typer.Typer(no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
HubUrl = Annotated[
    str | None,
    typer.Option("--url", help="The hub's address, for the link; by default hub.public_url of the settings."),
]


@app.command()
def create(
    email: Email,
    role: Annotated[str, typer.Option(help="ADMIN, AGENT, MANAGER, COLLABORATOR, CLIENT or MACHINE.")],
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input; else a link is made.")
    ] = False,
    name: Annotated[str, typer.Option(help="What the person is called.")] = "",
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    url: HubUrl = None,
    json: Json = False,
) -> int:
    """Add a person. Without a password, print a link by which they choose one.

    Example: atalaia user create ana@example.com --role ADMIN --password-stdin < password.txt
    """
    parsed_role = parse_role(role)
    password_hash = _read_password_hash(email) if password_stdin else None

    def unit(tx: Tx) -> tuple[Person, PasswordLink | None]:
        now = datetime.now(UTC)
        actor = operator()
        person = create_person(
            tx, actor, email=email, name=name, role=parsed_role, password_hash=password_hash, now=now
        )
        needs_link = password_hash is None and person.may_sign_in
        return person, make_password_link(tx, actor, person.id, now=now) if needs_link else None

    with opened_store(data_dir, database_url) as store:
        person, link = store.write_now(unit)
        address = _address(store, data_dir, link, url)
    if json:
        _print_json({"id": person.id, "email": person.email, "role": person.role, "link": address})
    else:
        typer.echo(f"{person.email} is {person.role} now.")
        _say_link(address, link)
    return 0


@app.command(name="list")
def list_(data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False) -> int:
    """List all people.

    Example: atalaia user list --json
    """
    with opened_store(data_dir, database_url) as store:
        people = store.read_now(_everybody)
    if json:
        _print_json([_public(person) for person in people])
        return 0
    for person in people:
        state = "disabled" if person.is_disabled else "" if person.has_password else "no password yet"
        seen = f"last in {person.signed_in_at:%Y-%m-%d %H:%M} UTC" if person.signed_in_at else "never in"
        typer.echo("  ".join(part for part in (f"{person.email:40} {person.role:12}", seen, state) if part))
    return 0


@app.command()
def reset(
    email: Email,
    *,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Remove the second factor too: phone and recovery codes are lost.")
    ] = False,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    url: HubUrl = None,
    json: Json = False,
) -> int:
    """Print a link by which a person chooses a new password. Good once, for 24 hours.

    Example: atalaia user reset ana@example.com
    """

    def unit(tx: Tx) -> PasswordLink:
        now, actor = datetime.now(UTC), operator()
        person = find_person(tx, email)
        if second_factor:
            remove_second_factor(tx, actor, person.id, now=now)
        return make_password_link(tx, actor, person.id, now=now)

    with opened_store(data_dir, database_url) as store:
        link = store.write_now(unit)
        address = _address(store, data_dir, link, url)
    if json:
        _print_json({"link": address, "expires_at": link.expires_at})
    else:
        _say_link(address, link)
    return 0


@app.command()
def disable(email: Email, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None) -> int:
    """Shut a person out; all their sessions end at once.

    Example: atalaia user disable ana@example.com
    """
    _change(email, PersonChange(is_disabled=True), data_dir=data_dir, database_url=database_url)
    typer.echo(f"{email} can't sign in any more.")
    return 0


@app.command()
def enable(email: Email, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None) -> int:
    """Let a person in again.

    Example: atalaia user enable ana@example.com
    """
    _change(email, PersonChange(is_disabled=False), data_dir=data_dir, database_url=database_url)
    typer.echo(f"{email} may sign in again.")
    return 0


@app.command()
def role(
    email: Email,
    role: Annotated[str, typer.Argument(help="ADMIN, AGENT, MANAGER, COLLABORATOR, CLIENT or MACHINE.")],
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
) -> int:
    """Give a person another role; it holds from their next request.

    Example: atalaia user role ana@example.com MANAGER
    """
    change = PersonChange(role=parse_role(role))
    person = _change(email, change, data_dir=data_dir, database_url=database_url)
    typer.echo(f"{person.email} is {person.role} now.")
    return 0


def _change(email: str, change: PersonChange, *, data_dir: Path, database_url: str | None) -> Person:
    def unit(tx: Tx) -> Person:
        person = find_person(tx, email)
        return change_person(tx, operator(), person.id, change=change, now=datetime.now(UTC))

    with opened_store(data_dir, database_url) as store:
        return store.write_now(unit)


def _everybody(tx: Tx) -> list[Person]:
    found: list[Person] = []
    while True:
        batch = list_people(tx, limit=_BATCH, after=found[-1].email if found else None)
        found += batch
        if len(batch) < _BATCH:
            return found


def _read_password_hash(email: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    check_rules(password, email=normal_email(email))
    hasher = PasswordHasher()
    try:
        return hasher.hash(password)
    finally:
        hasher.close()


def _address(store: Store, data_dir: Path, link: PasswordLink | None, url: str | None) -> str | None:
    if link is None:
        return None
    if url is None:
        from atalaia.app.slices import read_settings  # the whole hub, for a link's address alone

        settings = read_settings(data_dir)
        settings.set_page_values(store.read_now(read_page_settings))
        url = str(settings.get("hub.public_url")) or _DEFAULT_URL
    return url.rstrip("/") + link.path


def _say_link(address: str | None, link: PasswordLink | None) -> None:
    if address is not None and link is not None:
        typer.echo(f"To choose a password, open (once, until {link.expires_at:%Y-%m-%d %H:%M} UTC):")
        typer.echo(f"  {address}")


def _public(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "is_disabled": person.is_disabled,
        "has_password": person.has_password,
        "has_second_factor": person.has_totp,
        "created_at": person.created_at,
        "signed_in_at": person.signed_in_at,
    }


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
