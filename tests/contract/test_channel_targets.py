"""A channel that could never deliver is refused when it is made, not when something is down."""

from pathlib import Path

from tests.contract.watch_site import Visit, visit


def test_a_webhook_to_a_private_address_is_refused_when_it_is_made_or_changed(tmp_path: Path) -> None:
    async def conversation(there: Visit) -> None:
        hook = {"name": "hook", "kind": "webhook", "url": "http://10.0.0.7/hook", "secret": "a long secret"}
        refused = await there.client.post("/api/channels", json=hook)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "url")
        assert "ATALAIA_ALLOW_PRIVATE_TARGETS" in refused.json()["error"]["hint"]
        made = await there.client.post("/api/channels", json=hook | {"url": "https://hooks.example.org/x"})
        assert made.status_code == 201
        where = f"/api/channels/{made.json()['id']}"
        again = await there.client.patch(where, json={"url": "http://127.0.0.1:9/"})
        assert (again.status_code, again.json()["error"]["field"]) == (422, "url")
        assert (await there.client.patch(where, json={"name": "renamed"})).status_code == 200

    visit(tmp_path, conversation)


def test_an_address_that_may_hold_a_token_is_whole_for_those_alone_who_change_it(tmp_path: Path) -> None:
    async def conversation(there: Visit) -> None:
        url = "https://hooks.example.org/in/c4naryC4naryC4nary?key=hush"
        hook = {"name": "hook", "kind": "webhook", "url": url, "secret": "a long secret"}
        made = (await there.client.post("/api/channels", json=hook)).json()
        assert made["url"] == url
        key = (await there.client.post("/api/keys", json={"name": "reader", "scopes": ["read"]})).json()["key"]
        reader = {"authorization": f"Bearer {key}"}
        for where in ("/api/channels", f"/api/channels/{made['id']}"):
            said = (await there.client.get(where, headers=reader)).text
            assert "https://hooks.example.org/in/***?***" in said
            assert "c4nary" not in said

    visit(tmp_path, conversation)
