"""People, for who administers them."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.model import Person
from atalaia.access.options import AccessOptions
from atalaia.access.pages.forms import going_on, query_of, refused, typed
from atalaia.access.requests import AnyRequest, client_of, principal_of
from atalaia.access.roles import ROLE_WORDS
from atalaia.access.service.people import PasswordLink, PeopleService, PersonChange, parse_role
from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import Permission, Role
from atalaia.core.translations import N_
from atalaia.web.cursors import DEFAULT_LIMIT
from atalaia.web.pages import Pages

PEOPLE = "/people"
_GUARDS = [requires(Permission.PEOPLE_ADMIN)]

AnyAnswer = Response[str] | Redirect


@get(PEOPLE, guards=_GUARDS, include_in_schema=False)
async def show_people(
    request: AnyRequest, pages: NamedDependency[Pages], people_service: NamedDependency[PeopleService]
) -> Response[str]:
    params = query_of(request)
    people, after = await people_service.page(
        cursor=params.get("cursor"), limit=DEFAULT_LIMIT, text=params.get("q", "")
    )
    return await pages.page(
        request,
        "access/people.html",
        rows=len(people),
        title=pages.translator(request).translate(N_("People")),
        people=people,
        next=after,
        params=params,
        role_words=_role_words(),
    )


@get("/people/new", guards=_GUARDS, include_in_schema=False)
async def show_new_person(request: AnyRequest, pages: NamedDependency[Pages]) -> Response[str]:
    values = {"email": "", "name": "", "role": Role.AGENT.value}
    return await pages.page(request, "access/person_new.html", values=values, errors={}, **_new_context(request, pages))


@post(PEOPLE, guards=_GUARDS, include_in_schema=False)
async def invite_person(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    people_service: NamedDependency[PeopleService],
    access_options: NamedDependency[AccessOptions],
) -> AnyAnswer:
    form = await typed(request)
    values = {name: form.get(name, "") for name in ("email", "name", "role")}
    try:
        person, link = await people_service.invite(
            principal_of(request),
            email=values["email"],
            name=values["name"],
            role=parse_role(values["role"]),
            address=client_of(request),
        )
    except AtalaiaError as error:
        context = _new_context(request, pages)
        return await refused(request, pages, "access/person_new.html", error=error, values=values, **context)
    if link is None:
        return going_on(f"{PEOPLE}/{person.id}")
    return await _link(request, pages, person, link, access_options)


@get("/people/{person_id:str}", guards=_GUARDS, include_in_schema=False)
async def show_person(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    people_service: NamedDependency[PeopleService],
    person_id: FromPath[str],
) -> Response[str]:
    person = await people_service.get(person_id)
    return await pages.page(request, "access/person.html", errors={}, **_person_context(request, person))


@post("/people/{person_id:str}", guards=_GUARDS, include_in_schema=False)
async def change_person(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    people_service: NamedDependency[PeopleService],
    person_id: FromPath[str],
) -> AnyAnswer:
    form = await typed(request)
    try:
        change = PersonChange(
            name=form.get("name"),
            role=parse_role(form["role"]) if "role" in form else None,
            is_disabled={"yes": True, "no": False}.get(form.get("is_disabled", "")),
        )
        await people_service.change(principal_of(request), person_id, change=change, address=client_of(request))
    except AtalaiaError as error:
        person = await people_service.get(person_id)
        return await refused(request, pages, "access/person.html", error=error, **_person_context(request, person))
    return going_on(f"{PEOPLE}/{person_id}")


@post("/people/{person_id:str}/password-link", guards=_GUARDS, include_in_schema=False)
async def make_password_link(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    people_service: NamedDependency[PeopleService],
    access_options: NamedDependency[AccessOptions],
    person_id: FromPath[str],
) -> Response[str]:
    link = await people_service.make_password_link(principal_of(request), person_id, address=client_of(request))
    return await _link(request, pages, await people_service.get(person_id), link, access_options)


@post("/people/{person_id:str}/second-factor/remove", guards=_GUARDS, include_in_schema=False)
async def remove_second_factor(
    request: AnyRequest, people_service: NamedDependency[PeopleService], person_id: FromPath[str]
) -> Redirect:
    await people_service.remove_second_factor(principal_of(request), person_id, address=client_of(request))
    return going_on(f"{PEOPLE}/{person_id}")


async def _link(
    request: AnyRequest, pages: Pages, person: Person, link: PasswordLink, options: AccessOptions
) -> Response[str]:
    return await pages.page(
        request,
        "access/password_link.html",
        title=pages.translator(request).translate(N_("A link for {who}"), who=person.name or person.email),
        person=person,
        address=options.address_of(link.path),
        expires_at=link.expires_at,
    )


def _new_context(request: AnyRequest, pages: Pages) -> dict[str, Any]:
    return {"title": pages.translator(request).translate(N_("New person")), "roles": _role_options()}


def _person_context(request: AnyRequest, person: Person) -> dict[str, Any]:
    return {
        "title": person.name or person.email,
        "person": person,
        "roles": _role_options(),
        "is_self": person.id == principal_of(request).id,
    }


def _role_options() -> list[tuple[str, str, str]]:
    return [(role.value, words.name, words.may) for role, words in ROLE_WORDS.items()]


def _role_words() -> dict[str, str]:
    return {role.value: words.name for role, words in ROLE_WORDS.items()}


ROUTES = (
    show_people,
    show_new_person,
    invite_person,
    show_person,
    change_person,
    make_password_link,
    remove_second_factor,
)
