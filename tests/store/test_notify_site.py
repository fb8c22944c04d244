"""Channels and routes as scripts and people make them."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from atalaia.core.permissions import Role
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.store.notify_parts import until
from tests.store.notify_site import Site, a_site
from tests.unit.notify.smtp_server import mail_server
from tests.unit.outbound.receiver import always, receiving, reply

SECRET = "canary-9f8e7d"
HOOK = {"name": "hook", "kind": "webhook", "url": "https://x.test/h", "secret": SECRET}


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


@pytest.fixture
def run(store: Store) -> Callable[[Callable[[Site], Coroutine[Any, Any, None]]], None]:
    def go(body: Callable[[Site], Coroutine[Any, Any, None]]) -> None:
        async def inside() -> None:
            async with a_site(store) as site:
                await body(site)

        asyncio.run(inside())

    return go


Run = Callable[[Callable[[Site], Coroutine[Any, Any, None]]], None]


def test_a_script_makes_a_channel_and_a_route_and_reads_them_back(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        made = await api.post("/api/channels", json=HOOK)
        assert made.status_code == 201
        channel = made.json()
        assert (channel["name"], channel["kind"], channel["url"]) == ("hook", "webhook", HOOK["url"])
        route = (await api.post("/api/routes", json={"channel": channel["id"]})).json()
        assert (route["channel"], route["match"], route["min_severity"]) == (channel["id"], {}, None)
        listed = (await api.get("/api/routes")).json()
        assert listed == {"items": [route], "next": None}
        assert (await api.get(f"/api/channels/{channel['id']}")).json() == channel

    run(body)


def test_a_secret_never_comes_back(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("admin")
        id_ = (await api.post("/api/channels", json=HOOK)).json()["id"]
        person = await site.person()
        answers = [
            await api.get("/api/channels"),
            await api.patch(f"/api/channels/{id_}", json={"name": "new"}),
            await api.get("/api/audit"),
            *[await person.get(path) for path in ("/channels", f"/channels/{id_}", f"/channels/{id_}/edit")],
        ]
        assert all(answer.status_code == 200 for answer in answers)
        assert all(SECRET not in answer.text for answer in answers)

    run(body)


def test_the_fields_of_any_kind_may_stand_in_fields_and_come_back_there_without_secrets(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        wanted = {"name": "hook", "kind": "webhook", "fields": {"url": HOOK["url"], "secret": SECRET}}
        channel = (await api.post("/api/channels", json=wanted)).json()
        assert channel["fields"] == {"url": HOOK["url"]}
        changed = await api.patch(f"/api/channels/{channel['id']}", json={"fields": {"url": "https://y.test/h"}})
        assert changed.json()["fields"] == {"url": "https://y.test/h"}
        wrong = await api.patch(f"/api/channels/{channel['id']}", json={"fields": {"numbers": ["+55"]}})
        assert wrong.status_code == 422
        assert "numbers" in wrong.text

    run(body)


def test_a_change_keeps_the_secret_that_it_leaves_out(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        async with receiving() as receiver:
            id_ = (await api.post("/api/channels", json={**HOOK, "url": receiver.url})).json()["id"]
            await api.patch(f"/api/channels/{id_}", json={"url": receiver.url + "/other", "secret": ""})
            tested = (await api.post(f"/api/channels/{id_}/test")).json()
            assert tested["is_delivered"], tested
            request = receiver.requests[0]
            assert request.path == "/other"
            assert json.loads(request.body)["event"] == "test"
            assert request.headers["x-atalaia-delivery"] == tested["delivery"]
            record = (await api.get(f"/api/deliveries?channel={id_}")).json()["items"]
            assert [(item["event"], item["outcome"]) for item in record] == [("test", "delivered")]

    run(body)


def test_a_failing_test_says_what_the_receiver_answered(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        async with receiving(always(reply(404, b""))) as receiver:
            id_ = (await api.post("/api/channels", json={**HOOK, "url": receiver.url})).json()["id"]
            tested = (await api.post(f"/api/channels/{id_}/test")).json()
            assert not tested["is_delivered"]
            assert "404" in tested["status"]

    run(body)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/api/channels", {**HOOK, "url": "nonsense"}, 422, "url"),
        ("/api/channels", {**HOOK, "kind": "pigeon"}, 422, "kind"),
        ("/api/channels", {**HOOK, "name": ""}, 422, "name"),
        ("/api/channels", {**HOOK, "colour": "red"}, 422, None),
        ("/api/channels", {"kind": "webhook"}, 422, "name"),
        ("/api/channels", {**HOOK, "host": "x"}, 422, "host"),
        ("/api/channels", {**HOOK, "locale": "fr"}, 422, "locale"),
        ("/api/routes", {"channel": "none"}, 422, "channel"),
        ("/api/routes", {}, 422, "channel"),
        ("/api/routes", {"channel": "none", "min_severity": "grave"}, 422, "min_severity"),
        ("/api/routes", {"channel": "none", "match": {"a": 1}}, 422, None),
    ],
)
def test_a_wrong_field_is_422_and_named(run: Run, path: str, body: dict[str, Any], status: int, field: str) -> None:
    async def inside(site: Site) -> None:
        api = await site.script("write")
        answer = await api.post(path, json=body)
        assert answer.status_code == status, answer.text
        assert field is None or answer.json()["error"]["field"] == field

    run(inside)


def test_a_name_is_taken_once(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        await api.post("/api/channels", json=HOOK)
        assert (await api.post("/api/channels", json=HOOK)).status_code == 409

    run(body)


def test_what_is_not_there_is_404(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        answers = [
            await api.get("/api/channels/none"),
            await api.patch("/api/channels/none", json={}),
            await api.delete("/api/channels/none"),
            await api.post("/api/channels/none/test"),
            await api.get("/api/routes/none"),
            await api.patch("/api/routes/none", json={}),
            await api.delete("/api/routes/none"),
        ]
        assert [answer.status_code for answer in answers] == [404] * len(answers)

    run(body)


def test_routes_and_channels_are_changed_and_removed(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        id_ = (await api.post("/api/channels", json=HOOK)).json()["id"]
        route = (await api.post("/api/routes", json={"channel": id_, "min_severity": "critical"})).json()["id"]
        changed = await api.patch(f"/api/routes/{route}", json={"min_severity": None, "match": {"team": "web"}})
        assert (changed.json()["min_severity"], changed.json()["match"]) == (None, {"team": "web"})
        assert (await api.delete(f"/api/channels/{id_}")).status_code == 204
        assert (await api.get("/api/routes")).json()["items"] == []

    run(body)


def test_a_key_to_read_can_not_write(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("read")
        assert (await api.get("/api/channels")).status_code == 200
        assert (await api.post("/api/channels", json=HOOK)).status_code == 403
        nobody = site.browser().client
        assert (await nobody.get("/api/channels")).status_code == 401

    run(body)


def test_a_person_makes_a_channel_and_a_route_and_the_warning_goes(run: Run) -> None:
    async def body(site: Site) -> None:
        person = await site.person()
        assert "Nobody will be told" in (await person.get("/channels")).text
        await person.get("/channels/new")
        form = {"name": "Ops", "kind": "webhook", "locale": "pt-BR", "is_enabled": "on"}
        refused = await person.post("/channels/new", {**form, "webhook-url": "nonsense", "webhook-secret": SECRET})
        assert refused.status_code == 422
        assert "nonsense" in refused.text
        assert SECRET not in refused.text
        made = await person.post("/channels/new", {**form, "webhook-url": "https://x.test/", "webhook-secret": SECRET})
        assert made.status_code == 303
        page = await person.get(made.headers["location"])
        assert "No route leads here" in page.text
        id_ = made.headers["location"].rpartition("/")[2]
        await person.get("/routes/new")
        route = {"channel": id_, "match": "team=web\n", "repeat_interval_s": "60", "group_wait_s": "30"}
        again = await person.post("/routes/new", {**route, "match": "nonsense"})
        assert again.status_code == 422
        assert (await person.post("/routes/new", {**route, "is_enabled": "on"})).status_code == 303
        overview = (await person.get("/channels")).text
        assert "Nobody will be told" not in overview
        assert "team" in overview

    run(body)


def test_a_person_tests_changes_and_deletes_a_channel(run: Run) -> None:
    async def body(site: Site) -> None:
        person = await site.person()
        api = await site.script("write")
        async with receiving() as receiver:
            id_ = (await api.post("/api/channels", json={**HOOK, "url": receiver.url})).json()["id"]
            await person.get(f"/channels/{id_}")
            tested = await person.post(f"/channels/{id_}/test")
            assert "The test message has arrived." in tested.text
            assert len(receiver.requests) == 1
        assert (await person.get(f"/channels/{id_}/deliveries")).status_code == 200
        assert "200 OK" in (await person.get("/deliveries?outcome=delivered")).text
        await person.get(f"/channels/{id_}/edit")
        form = {"name": "Ops", "locale": "en", "webhook-url": "https://y.test/", "webhook-secret": ""}
        assert (await person.post(f"/channels/{id_}/edit", form)).status_code == 303
        changed = (await api.get(f"/api/channels/{id_}")).json()
        assert (changed["name"], changed["url"], changed["is_enabled"]) == ("Ops", "https://y.test/", False)
        assert (await person.post(f"/channels/{id_}/delete")).status_code == 303
        assert (await person.get(f"/channels/{id_}")).status_code == 404

    run(body)


def test_pages_are_closed_to_who_may_not_read_them(run: Run) -> None:
    async def body(site: Site) -> None:
        person = await site.person(Role.CLIENT)
        for path in ("/channels", "/channels/new", "/routes/new", "/deliveries"):
            assert (await person.get(path)).status_code == 403
        anonymous: httpx.Response = await site.browser().get("/channels")
        assert anonymous.headers["location"].startswith("/sign-in")

    run(body)


def test_pages_speak_portuguese(run: Run) -> None:
    async def body(site: Site) -> None:
        person = await site.person()
        page = await person.get("/channels", **{"accept-language": "pt-BR"})
        assert "Canais e rotas" in page.text
        assert "Ninguém será avisado" in page.text

    run(body)


def test_a_link_to_choose_a_password_is_mailed_through_an_e_mail_channel(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        person = await site.person()
        stranger = site.browser()
        async with mail_server() as box:
            mail = {"host": "127.0.0.1", "port": box.port, "security": "none", "sender": "hub@x.test"}
            channel = {"name": "mail", "kind": "email", "recipients": ["ops@x.test"], **mail}
            assert (await api.post("/api/channels", json=channel)).status_code == 201
            await site.refresh()
            await stranger.get("/forgot-password")
            await stranger.post("/forgot-password", {"email": "admin@x.test"})

            async def has_come() -> bool:
                await asyncio.sleep(0)
                return bool(box.mails)

            await until(has_come)
            assert box.recipients == ["admin@x.test"]
            link = re.search(r"http://hub\.test(\S+)", box.mails[0].get_content())
            assert link is not None
            assert (await stranger.get(link[1])).status_code == 200
        assert (await person.get("/account")).status_code == 200

    run(body)


def test_a_channel_is_found_by_a_part_of_its_name(run: Run) -> None:
    async def body(site: Site) -> None:
        api = await site.script("write")
        await api.post("/api/channels", json={**HOOK, "name": "Night shift 100%"})
        (search,) = site.searches
        assert [found.title for found in await search.find("SHIFT 100%", 5)] == ["Night shift 100%"]
        assert await search.find("1_0", 5) == []

    run(body)
