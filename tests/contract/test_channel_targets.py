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
