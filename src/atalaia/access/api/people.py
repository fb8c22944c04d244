"""The JSON API of people: /api/people."""

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from atalaia.access.api.shapes import (
    Cursor,
    InvitedOut,
    Limit,
    LinkOut,
    NewPersonIn,
    PersonIn,
    PersonOut,
    person_out,
)
from atalaia.access.guards import requires
from atalaia.access.options import AccessOptions
from atalaia.access.requests import AnyRequest, client_of, principal_of
from atalaia.access.service.people import PasswordLink, PeopleService, PersonChange
from atalaia.core.permissions import Permission
from atalaia.web.cursors import DEFAULT_LIMIT, Listing

_TAGS = ["People"]
_GUARDS = [requires(Permission.PEOPLE_ADMIN)]


@get("/api/people", guards=_GUARDS, tags=_TAGS, summary="People, by e-mail address")
async def list_people(
    people_service: NamedDependency[PeopleService],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    q: FromQuery[str] = "",
) -> Listing[PersonOut]:
    people, after = await people_service.page(cursor=cursor, limit=limit, text=q)
    return Listing([person_out(person) for person in people], after)


@post("/api/people", guards=_GUARDS, tags=_TAGS, summary="Add a person; the link is how they choose a password")
async def invite_person(
    request: AnyRequest,
    people_service: NamedDependency[PeopleService],
    access_options: NamedDependency[AccessOptions],
    data: JSONBody[NewPersonIn],
) -> InvitedOut:
    person, link = await people_service.invite(
        principal_of(request), email=data.email, name=data.name, role=data.role, address=client_of(request)
    )
    return InvitedOut(person=person_out(person), link=_link_out(link, access_options) if link else None)


@get("/api/people/{person_id:str}", guards=_GUARDS, tags=_TAGS, summary="One person")
async def show_person(people_service: NamedDependency[PeopleService], person_id: FromPath[str]) -> PersonOut:
    return person_out(await people_service.get(person_id))


@patch(
    "/api/people/{person_id:str}", guards=_GUARDS, tags=_TAGS, summary="Change name, role, or whether they may come in"
)
async def change_person(
    request: AnyRequest,
    people_service: NamedDependency[PeopleService],
    person_id: FromPath[str],
    data: JSONBody[PersonIn],
) -> PersonOut:
    change = PersonChange(name=data.name, role=data.role, is_disabled=data.is_disabled)
    principal = principal_of(request)
    return person_out(await people_service.change(principal, person_id, change=change, address=client_of(request)))


@post(
    "/api/people/{person_id:str}/password-link", guards=_GUARDS, tags=_TAGS, summary="A link to choose a new password"
)
async def make_password_link(
    request: AnyRequest,
    people_service: NamedDependency[PeopleService],
    access_options: NamedDependency[AccessOptions],
    person_id: FromPath[str],
) -> LinkOut:
    link = await people_service.make_password_link(principal_of(request), person_id, address=client_of(request))
    return _link_out(link, access_options)


@delete(
    "/api/people/{person_id:str}/second-factor",
    guards=_GUARDS,
    tags=_TAGS,
    summary="Remove the second factor of somebody who has lost it",
)
async def remove_second_factor(
    request: AnyRequest, people_service: NamedDependency[PeopleService], person_id: FromPath[str]
) -> None:
    await people_service.remove_second_factor(principal_of(request), person_id, address=client_of(request))


def _link_out(link: PasswordLink, options: AccessOptions) -> LinkOut:
    return LinkOut(url=options.address_of(link.path), expires_at=link.expires_at)


ROUTES = (list_people, invite_person, show_person, change_person, make_password_link, remove_second_factor)
