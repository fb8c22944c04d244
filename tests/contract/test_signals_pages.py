"""Pages of signals as a browser meets them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from atalaia.core.clock import to_ms
from tests.contract.watch_site import Conversation, Visit, visit


def talk(folder: Path, conversation: Conversation) -> None:
    visit(folder, conversation)


async def see(visit: Visit, path: str, *, status: int = 200, language: str = "en") -> str:
    answer = await visit.client.get(path, headers={**visit.html, "accept-language": language})
    assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
    return answer.text


async def fill(visit: Visit, path: str, values: Mapping[str, str] | None = None, *, status: int = 303) -> str:
    answer = await visit.client.post(path, data=dict(values or {}), headers=visit.html)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
    return answer.headers.get("location", "") if status == 303 else answer.text


DESK = {
    "name": "desk",
    "task": "webhook",
    "url": "https://example.com/hook",
    "secret": "s" * 20,
    "min_interval_s": "1.5",
}


def test_nobody_is_left_alone_with_an_empty_list(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        said = await see(visit, "/signals")
        assert "No signals yet" in said
        assert 'href="/signals/-/new"' in said
        portuguese = await see(visit, "/signals", language="pt-BR")
        assert "Nenhum sinal ainda" in portuguese
        assert "Signal" not in portuguese.split("<main")[1].split("</main>")[0]

    talk(tmp_path, conversation)


def test_a_signal_is_made_shown_changed_paused_and_dropped(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        form = await see(visit, "/signals/-/new")
        assert 'value="webhook"' in form
        assert 'value="command"' not in form  # the settings allow none
        assert await fill(visit, "/signals/-/new", DESK) == "/signals/desk"
        said = await see(visit, "/signals/desk")
        assert "No signal has come in yet." in said
        assert "http://hub.example/api/signals/desk" in said
        assert "s" * 20 not in said
        edit = await see(visit, "/signals/desk/edit")
        assert 'value="https://example.com/hook"' in edit
        changed = {**DESK, "secret": "", "cron": "*/5 * * * *", "timezone": "America/Recife"}
        assert await fill(visit, "/signals/desk/edit", changed) == "/signals/desk"
        said = await see(visit, "/signals/desk")
        assert "Next slot of the schedule:" in said
        assert "America/Recife" in said
        await fill(visit, "/signals/desk/pause")
        assert "The schedule rests." in await see(visit, "/signals/desk")
        await fill(visit, "/signals/desk/resume")
        assert await fill(visit, "/signals/desk/delete") == "/signals"
        await see(visit, "/signals/desk", status=404)

    talk(tmp_path, conversation)


def test_what_an_address_may_hold_is_shown_to_those_alone_who_change_it(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        whole = "https://example.com/in/c4naryC4naryC4nary?token=hush-hush"
        await fill(visit, "/signals/-/new", DESK | {"url": whole})
        for page in ("/signals", "/signals/desk", "/signals/desk/now", "/audit"):
            said = await see(visit, page)
            assert "c4nary" not in said, page
            assert "hush-hush" not in said, page
        assert "https://example.com/in/***?***" in await see(visit, "/signals/desk")
        assert f'value="{whole}"' in await see(visit, "/signals/desk/edit")

    talk(tmp_path, conversation)


def test_a_secret_that_the_hub_makes_is_shown_once(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        said = await fill(visit, "/signals/-/new", {**DESK, "secret": ""}, status=200)
        assert "it is shown this once" in said
        assert 'href="/signals/desk"' in said

    talk(tmp_path, conversation)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "a b"}, "name is letters, digits"),
        ({"name": ""}, "It needs a name."),
        ({"task": "nothing.here"}, "there is no such task"),
        ({"url": "ftp://example.com/"}, "Not saved yet"),
        ({"cron": "every day"}, "cron expression"),
        ({"cron": "* * * * *", "timezone": "Mars"}, "no such time zone"),
        ({"min_interval_s": "x"}, "Must be a number."),
    ],
)
def test_a_wrong_form_says_what_and_keeps_the_rest(tmp_path: Path, typed: dict[str, str], words: str) -> None:
    async def conversation(visit: Visit) -> None:
        said = await fill(visit, "/signals/-/new", DESK | typed, status=422)
        assert words in said
        assert "s" * 20 not in said
        if "url" not in typed:
            assert "https://example.com/hook" in said

    talk(tmp_path, conversation)


def test_a_name_that_is_taken_is_told_at_the_name(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        await fill(visit, "/signals/-/new", DESK)
        said = await fill(visit, "/signals/-/new", DESK, status=422)
        assert "another signal has this name" in said
        assert 'href="#f-name"' in said

    talk(tmp_path, conversation)


def test_the_list_shows_the_worst_first_page_by_page_and_filtered(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        for number in range(55):
            await fill(visit, "/signals/-/new", DESK | {"name": f"s{number:02}"})
        await fill(visit, "/signals/s40/pause")
        first = await see(visit, "/signals")
        shown = _names(first)
        assert len(shown) == 50
        second_href = first.split('rel="next" href="')[1].partition('"')[0].replace("&amp;", "&")
        assert [*shown, *_names(await see(visit, unquote(second_href)))][-1] == "s40"  # the paused one is the last
        assert _names(await see(visit, "/signals?state=paused")) == ["s40"]
        assert _names(await see(visit, "/signals?q=S1")) == [f"s{number}" for number in range(10, 20)]
        assert "No signal is like that" in await see(visit, "/signals?q=nobody")
        assert _names(await see(visit, "/signals/-/rows?state=paused")) == ["s40"]

    talk(tmp_path, conversation)


def _names(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('<tr data-key="')[1:]]


def test_a_chart_is_given_its_lines_and_no_other(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        await fill(visit, "/signals/-/new", DESK)
        now_ms = to_ms(visit.clock.now())
        reach = f"from={now_ms - 3_600_000}&to={now_ms}&step=60"
        for of in ("started", "skipped", "throttled", "unanswered", "ratio", "mean", "slowest"):
            answer = await visit.client.get(f"/signals/desk/series?of={of}&{reach}")
            assert (answer.status_code, answer.json()) == (200, {"items": []})
        assert (await visit.client.get(f"/signals/desk/series?of=secret&{reach}")).status_code == 422
        assert (await visit.client.get(f"/signals/nobody/series?of=ratio&{reach}")).status_code == 404
        assert (await visit.client.get("/signals/desk/series?of=ratio&from=x&to=1&step=1")).status_code in {400, 422}

    talk(tmp_path, conversation)


def test_the_part_that_lives_brings_the_state_and_the_runs_along(tmp_path: Path) -> None:
    async def conversation(visit: Visit) -> None:
        await fill(visit, "/signals/-/new", DESK)
        part = await see(visit, "/signals/desk/now")
        assert 'id="signal-now"' in part
        assert 'id="head-state" hx-swap-oob="true"' in part
        assert 'id="runs" hx-swap-oob="true"' in part
        assert "<html" not in part

    talk(tmp_path, conversation)
