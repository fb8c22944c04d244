"""Pages of checks and incidents, in both languages, with and without something to show."""

from pathlib import Path

import pytest

from tests.contract.watch_site import Visit, visit

EMPTY = (
    "/checks",
    "/checks/rows",
    "/checks/new",
    "/incidents",
    "/incidents/rows",
    "/incidents/open",
    "/incidents?view=all",
)
NEW = {"kind": "http", "name": "Shop", "target": "https://shop.example/", "interval_s": "30", "timeout_s": "10"}


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_every_page_shows(tmp_path: Path, language: str) -> None:
    async def talk(site: Visit) -> None:
        html = site.html | {"accept-language": language}
        for path in EMPTY:
            assert (await site.client.get(path, headers=html)).status_code == 200, path
        await site.hear("sp-1")
        checks = [
            await site.add(agents=["sp-1"], labels={"team": "web"}, runbook="Restart", degraded_ms=5, quorum=1),
            await site.add(kind="heartbeat", target="", period_s=60),
            await site.add(kind="dns", target="example.test", paused=True),
            await site.add(kind="host", target="", options={"thresholds": [{"metric": "a", "above": 1}]}),
        ]
        await site.see(checks[0], True, False)
        await site.client.post(checks[1]["ping_url"] + "/start", content=b"began")
        paths = [*EMPTY, "/checks?state=down&kind=http&q=site&label=team%3Dweb"]
        for check in checks:
            paths += [f"/checks/{check['id']}{part}" for part in ("", "/now", "/stats", "/edit")]
        for incident in await site.incidents(""):
            paths += [f"/incidents/{incident['id']}{part}" for part in ("", "/now")]
        for path in paths:
            assert (await site.client.get(path, headers=html)).status_code == 200, path

    visit(tmp_path, talk)


def test_the_form_makes_a_check_and_keeps_what_was_typed_when_it_is_wrong(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        wrong = await site.client.post("/checks/new", data=NEW | {"interval_s": "often"}, headers=site.html)
        assert (wrong.status_code, 'value="Shop"' in wrong.text, "Must be a number." in wrong.text) == (422, True, True)
        fields = {"expect_status": "200,204", "labels": "team=web\nenv=prod", "severity": "warning"}
        made = await site.client.post("/checks/new", data=NEW | fields, headers=site.html)
        assert made.status_code == 303
        check = (await site.client.get("/api" + made.headers["location"])).json()
        assert (check["options"], check["severity"]) == ({"expect_status": "200,204"}, "warning")
        assert check["labels"] == {"team": "web", "env": "prod"}
        where = made.headers["location"]
        edited = await site.client.post(f"{where}/edit", data=NEW | {"name": "Store"}, headers=site.html)
        assert edited.status_code == 303
        after = (await site.client.get("/api" + where)).json()
        assert (after["name"], after["options"], after["labels"]) == ("Store", {}, {})
        for action, state in (("pause", "paused"), ("resume", "unknown")):
            assert (await site.client.post(f"{where}/{action}", headers=site.html)).status_code == 303
            assert (await site.client.get("/api" + where)).json()["state"] == state
        assert (await site.client.post(f"{where}/delete", headers=site.html)).headers["location"] == "/checks"

    visit(tmp_path, talk)


def test_of_two_who_change_a_check_the_second_is_told_before_anything_is_lost(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        check = await site.add()
        where = f"/checks/{check['id']}/edit"

        async def revision() -> str:
            page = (await site.client.get(where, headers=site.html)).text
            return page.split('name="revision" value="')[1].partition('"')[0]

        seen = await revision()
        first = await site.client.post(where, data=NEW | {"name": "Ana's", "revision": seen}, headers=site.html)
        assert first.status_code == 303
        wrong = NEW | {"name": "Bia's", "interval_s": "often", "revision": seen}
        again = await site.client.post(where, data=wrong, headers=site.html)
        assert (again.status_code, f'name="revision" value="{seen}"' in again.text) == (422, True)
        second = await site.client.post(where, data=NEW | {"name": "Bia's", "revision": seen}, headers=site.html)
        assert second.status_code == 422
        assert "Somebody else has changed this check" in second.text
        assert 'value="Bia' in second.text
        assert (await site.client.get(f"/api/checks/{check['id']}")).json()["name"] == "Ana's"
        newer = second.text.split('name="revision" value="')[1].partition('"')[0]
        assert newer == await revision() != seen
        knowing = await site.client.post(where, data=NEW | {"name": "Bia's", "revision": newer}, headers=site.html)
        assert knowing.status_code == 303

    visit(tmp_path, talk)


def test_a_try_without_an_agent_says_what_to_do(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        answer = await site.client.post("/checks/try", data=NEW, headers=site.html)
        assert (answer.status_code, "no agent is there" in answer.text) == (200, True)

    visit(tmp_path, talk)


def test_an_incident_is_worked_on_from_its_page(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        await site.hear("sp-1")
        await site.see(await site.add(agents=["sp-1"]), False)
        where = f"/incidents/{(await site.incidents())[0]['id']}"
        for part, data in (("acknowledge", {}), ("comments", {"text": "mine"}), ("close", {})):
            answer = await site.client.post(f"{where}/{part}", data=data, headers=site.html)
            assert answer.status_code == 303, part
        page = (await site.client.get(where, headers=site.html)).text
        assert "mine" in page
        assert (await site.client.post(f"{where}/comments", data={"text": " "}, headers=site.html)).status_code == 422

    visit(tmp_path, talk)
