"""Captures are kept without secrets, make templates with versions, and any version can be put back in force."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from atalaia.captures.events import TemplatesChanged
from atalaia.captures.model.captures import Imported
from atalaia.captures.model.recordings import CaptureRefused
from atalaia.captures.service import CapturesService
from atalaia.captures.service.importing import CaptureFile, Lessons, import_capture, in_force_by_action
from atalaia.core.errors import InvalidField, NotFound, TooLarge
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.captures_kit import ANA, UPSTREAM, make_captures, recorded, whole_database
from tests.unit.captures.recorded import SECRETS, TOKEN, frame, har, message, redacted, socket_entry

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Made = tuple[Store, CapturesService, list[TemplatesChanged]]


@pytest.fixture
def made(make_store: MakeStore, clock: FakeClock) -> Made:
    return make_captures(make_store, clock)


def talk(conversation: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(conversation())


async def bring(captures: CapturesService, *texts: str, name: str = "") -> Any:
    return await captures.import_file(ANA, recorded(*texts), upstream=UPSTREAM, name=name, address="192.0.2.1")


def test_a_capture_is_kept_with_its_frames_and_makes_templates(made: Made) -> None:
    _, captures, told = made
    text = frame("review", '"client_id":"77","source":"0",')

    async def run() -> None:
        done = await bring(captures, text, name="Review of a client")
        assert (done.is_new, done.changed) == (True, ["user_login", "review"])
        capture = await captures.get(done.capture.id)
        assert (capture.name, capture.sent, capture.received, capture.imported_by) == (
            "Review of a client",
            2,
            1,
            "Ana",
        )
        frames = await captures.frames(capture.id, action="review")
        assert [each.text for each in frames] == [redacted(text)]
        active = await captures.active_templates(UPSTREAM)
        template = active.templates["review"]
        assert template.version == 1
        assert [(slot.path, slot.kind) for slot in template.slots if slot.kind == "variable"] == [
            ("parameters.client_id", "variable")
        ]
        assert [event.actions for event in told] == [["user_login", "review"]]

    talk(run)


def test_what_is_built_in_holds_until_a_capture_and_keeps_the_forms_that_it_has_not_seen(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        before = await captures.active_templates(UPSTREAM)
        assert set(before.templates) == {"review", "associate/open", "associate/setting"}
        assert {each.version for each in before.versions} == {0}
        await bring(captures, frame("associate", '"client_id":"5","tag":"other_screen",'))
        after = await captures.active_templates(UPSTREAM)
        assert after.etag != before.etag
        forms = {key: "".join(str(part) for part in each.form) for key, each in after.templates.items()}
        associates = [form for key, form in forms.items() if key.startswith("associate")]
        assert len(associates) == 2
        assert sum("other_screen" in form for form in associates) == 1
        assert sum('"setting":"9"' in form for form in associates) == 1
        assert not any("loading_screen" in form for form in associates)

    talk(run)


def test_a_captured_form_with_other_things_around_it_takes_the_place_of_the_built_in_one(made: Made) -> None:
    """Another deployment has `mtkn` and the token beside `action`, and no `flow_id`."""
    _, captures, _ = made
    text = (
        '{"action":{"name":"review","parameters":{"client_id":"7","_action_name":"review"}},'
        f'"mtkn":"1732270000000123456","session_token":"{TOKEN}"}}'
    )

    async def run() -> None:
        await bring(captures, text)
        active = await captures.active_templates(UPSTREAM)
        reviews = [each for each in active.templates.values() if each.action == "review"]
        assert [each.version for each in reviews] == [1]
        assert "flow_id" not in {slot.path for slot in reviews[0].slots}

    talk(run)


def test_a_page_that_sends_one_key_more_leaves_no_old_form_in_force(made: Made) -> None:
    """Frames without the new key would be refused by the third party, or do something else."""
    _, captures, _ = made

    async def run() -> None:
        await bring(captures, frame("associate", '"client_id":"1","setting":"9","new":"1",'))
        active = await captures.active_templates(UPSTREAM)
        forms = {key: str(each.form) for key, each in active.templates.items() if each.action == "associate"}
        assert len(forms) == 2
        assert sum('"setting"' in form and '"new"' in form for form in forms.values()) == 1
        assert sum("loading_screen" in form for form in forms.values()) == 1

    talk(run)


def test_the_same_file_again_changes_nothing(made: Made) -> None:
    _, captures, told = made

    async def run() -> None:
        first = await bring(captures, frame("review", '"client_id":"77","x":1,'))
        again = await bring(captures, frame("review", '"client_id":"77","x":1,'))
        assert (again.is_new, again.capture.id) == (False, first.capture.id)
        assert len(told) == 1

    talk(run)


def test_a_capture_of_the_same_form_makes_no_version(made: Made) -> None:
    _, captures, told = made

    async def run() -> None:
        await bring(captures, frame("review", '"client_id":"77","x":1,'))
        other = await bring(captures, frame("review", '"client_id":"78","x":1,', flow=634512))
        assert (other.is_new, other.changed, other.unchanged) == (True, [], ["user_login", "review"])
        assert len(told) == 1
        history = await captures.history(UPSTREAM, "review")
        assert [each.version for each in history.versions] == [1, 0]

    talk(run)


def test_what_varied_once_varies_still(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        await bring(captures, frame("move", '"speed":"1",'), frame("move", '"speed":"2",'))
        await bring(captures, frame("move", '"speed":"7",'), frame("move", '"speed":"7",', flow=634512))
        history = await captures.history(UPSTREAM, "move")
        assert [each.version for each in history.versions] == [1]

    talk(run)


def test_an_earlier_version_can_be_put_back_in_force(made: Made) -> None:
    store, captures, told = made

    async def run() -> None:
        await bring(captures, frame("review", '"client_id":"77","x":1,'))
        await bring(captures, frame("review", '"client_id":"77","x":"1",'))
        newest = await captures.active_templates(UPSTREAM)
        assert newest.templates["review"].version == 2
        await captures.activate(ANA, upstream=UPSTREAM, action="review", version=1)
        back = await captures.active_templates(UPSTREAM)
        assert back.templates["review"].version == 1
        await captures.activate(ANA, upstream=UPSTREAM, action="review", version=0)
        built_in = await captures.active_templates(UPSTREAM)
        assert built_in.templates["review"].version == 0
        assert len({newest.etag, back.etag, built_in.etag}) == 3
        assert [(event.actions, event.capture_id is None) for event in told][2:] == [(["review"], True)] * 2
        await captures.activate(ANA, upstream=UPSTREAM, action="review", version=0)
        assert len(told) == 4
        assert "template.activated" in whole_database(store)

    talk(run)


def test_a_new_capture_goes_on_from_the_version_in_force(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        await bring(captures, frame("review", '"client_id":"77","x":1,'))
        await bring(captures, frame("review", '"client_id":"77","x":2,'))
        await captures.activate(ANA, upstream=UPSTREAM, action="review", version=1)
        done = await bring(captures, frame("review", '"client_id":"79","x":1,'))
        assert done.changed == []
        again = await bring(captures, frame("review", '"client_id":"79","x":3,'))
        assert again.changed == ["review"]
        history = await captures.history(UPSTREAM, "review")
        assert (history.active_version, [each.version for each in history.versions]) == (3, [3, 2, 1, 0])

    talk(run)


def test_a_version_that_is_not_there_is_refused(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        for action, version in (("review", 5), ("nothing", 0)):
            with pytest.raises(NotFound):
                await captures.activate(ANA, upstream=UPSTREAM, action=action, version=version)
        with pytest.raises(NotFound):
            await captures.active_templates("elsewhere")
        with pytest.raises(InvalidField, match="there are: fleet"):
            await captures.import_file(ANA, recorded(frame("a")), upstream="elsewhere")

    talk(run)


def test_no_secret_reaches_the_database(made: Made) -> None:
    store, captures, _ = made
    password = SECRETS[1]

    async def run() -> None:
        echo = frame("review", f'"client_id":"77","comment":"{password}",')
        await bring(captures, echo, frame("move", '"senha":"Segredo-123456","speed":"1",'))

    talk(run)
    kept = whole_database(store)
    assert "capture.imported" in kept
    assert [secret for secret in (*SECRETS, "Segredo-123456") if secret in kept] == []


def test_a_secret_with_a_name_of_another_language_is_no_constant(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        await bring(captures, frame("move", '"senha":"Segredo-123456","speed":"1",'))
        template = (await captures.active_templates(UPSTREAM)).templates["move"]
        assert "parameters.senha" in {slot.path for slot in template.slots}

    talk(run)


def test_a_nul_in_what_is_asked_for_finds_nothing(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        done = await bring(captures, frame("a"))
        with pytest.raises(NotFound):
            await captures.get("x\0")
        with pytest.raises(NotFound):
            await captures.history(UPSTREAM, "review\0x")
        assert await captures.page(cursor=None, limit=5, upstream="x\0y") == ([], None)
        assert await captures.search("x\0y", limit=5) == []
        assert await captures.frames(done.capture.id, action="x\0y") == []

    talk(run)


def test_frames_with_nul_and_broken_frames_are_kept_and_make_no_template(made: Made) -> None:
    _, captures, _ = made
    padded = frame("review", '"client_id":"77","x":1,') + "\x00\x00"
    broken = '{"action":{"name":"half'

    async def run() -> None:
        data = har(socket_entry([message(padded), message(broken), message('{"action":{"name":"\ud83d"}}')]))
        done = await captures.import_file(ANA, data, upstream=UPSTREAM)
        frames = await captures.frames(done.capture.id)
        assert [each.text for each in frames[:2]] == [redacted(padded), broken]
        assert [each.action for each in frames] == ["review", None, None]

    talk(run)


def test_a_refused_file_leaves_nothing(made: Made) -> None:
    _, captures, told = made

    async def run() -> None:
        with pytest.raises(CaptureRefused):
            await captures.import_file(ANA, b"nothing of use", upstream=UPSTREAM)
        with pytest.raises(TooLarge):
            await captures.import_file(ANA, b"x" * (64 * 1024 * 1024 + 1), upstream=UPSTREAM)
        assert await captures.page(cursor=None, limit=10) == ([], None)
        assert told == []

    talk(run)


def test_captures_come_in_pages_and_are_found_by_name(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        for n in range(3):
            await bring(captures, frame("a", f'"x":{n},'), name=f"recording {n}")
        first, cursor = await captures.page(cursor=None, limit=2)
        second, end = await captures.page(cursor=cursor, limit=2)
        assert [each.name for each in (*first, *second)] == ["recording 2", "recording 1", "recording 0"]
        assert end is None
        assert [each.name for each in await captures.search("ING 1", limit=5)] == ["recording 1"]

    talk(run)


def test_two_captures_are_compared_by_token_and_type(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        a = await bring(captures, frame("review", '"client_id":"77","call_num":"0",'), frame("gone"))
        b = await bring(captures, frame("review", '"client_id":"99","call_num":0,'), frame("new"))
        _, _, found = await captures.compare(a.capture.id, b.capture.id)
        by_action = {each.action: each for each in found.actions}
        assert {action: each.standing for action, each in by_action.items()} == {
            "user_login": "same",
            "review": "differs",
            "gone": "only_in_a",
            "new": "only_in_b",
        }
        assert [each.text for each in by_action["review"].differences] == [
            'parameters.call_num: captured string "0", would send number 0'
        ]
        with pytest.raises(NotFound):
            await captures.compare(a.capture.id, "nothing")

    talk(run)


def test_imports_at_the_same_time_make_one_version_each(made: Made) -> None:
    _, captures, _ = made

    async def run() -> None:
        await asyncio.gather(*(bring(captures, frame("review", f'"client_id":"7","x":{n},')) for n in range(4)))
        history = await captures.history(UPSTREAM, "review")
        assert [each.version for each in history.versions] == [4, 3, 2, 1, 0]
        assert history.active_version == 4

    talk(run)


def test_what_a_file_teaches_is_learnt_before_the_transaction_and_anew_where_others_came_between(made: Made) -> None:
    """Thousands of frames were learnt from within the transaction: for half a minute nobody could write."""
    store, captures, _ = made
    source = captures.source(UPSTREAM)

    async def run() -> None:
        frames = [frame("many", f'"client_id":"{n}","tag":"a",', flow=600_000 + n) for n in range(1_500)]
        file = CaptureFile(recorded(*frames))
        in_force = await store.read(lambda tx: in_force_by_action(tx, UPSTREAM, source))
        began_s = time.process_time()
        lessons = Lessons(file, source, in_force)
        learnt_s = time.process_time() - began_s
        between = await bring(
            captures, frame("many", '"client_id":"1","tag":"a",'), frame("many", '"client_id":"1","tag":"b",')
        )
        assert between.changed == ["user_login", "many"]

        def unit(tx: Any) -> Imported:
            return import_capture(
                tx, ANA, file, lessons, upstream=UPSTREAM, source=source, name="late", now=NOW
            )  # fmt: skip

        assert (await store.write(unit)).changed == []
        active = await captures.active_templates(UPSTREAM)
        assert {slot.path for slot in active.templates["many"].slots if slot.kind == "variable"} == {
            "parameters.client_id", "parameters.tag",
        }  # fmt: skip
        fresh = CaptureFile(recorded(*[text.replace('"many"', '"more"') for text in frames]))
        lessons = Lessons(fresh, source, in_force)
        began_s = time.process_time()
        await store.write(
            lambda tx: import_capture(tx, ANA, fresh, lessons, upstream=UPSTREAM, source=source, name="", now=NOW)
        )
        assert time.process_time() - began_s < learnt_s

    talk(run)
