"""What every integration keeps, built in or not; its part is tests/integrations/<name>/conformance.py."""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from atalaia.core.errors import AtalaiaError, NotFound
from atalaia.core.logging import configure_logging
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import SOURCE, read_catalogue
from atalaia.integrations import find_integrations
from atalaia.runs.outcome import Ended
from atalaia.sdk.integration import EventStream, Offer, Page, Request
from atalaia.store.opening import migrate_store, open_store
from tests.acceptance.line import Line
from tests.contract.integrations.bench import Bench, Simulated, Subject, values_of
from tests.contract.integrations.quiet_host import QuietHost
from tests.servers import wait_until
from tests.stopwatch import Stopwatch

LETS_GO_S = 5
ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "integrations"
SUBJECTS: list[Subject] = [
    import_module(f"tests.integrations.{path.parent.name}.conformance").SUBJECT
    for path in sorted(FOLDER.glob("*/conformance.py"))
]
BUILT_IN = [loaded for loaded in find_integrations() if loaded.integration is not None]
each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


class World:
    """A simulator behind a line that can be cut."""

    def __init__(self, subject: Subject, simulated: Simulated, line: Line) -> None:
        self.simulated = simulated
        self.line = line
        self.subject = subject
        self.settings = values_of(subject.integration.manifest.settings, simulated.settings(line.port))

    def bench(self) -> Bench:
        return Bench(self.subject.integration, self.settings, self.subject.job_types)


@contextmanager
def world_of(subject: Subject) -> Iterator[World]:
    with subject.simulate() as simulated:
        line = Line(simulated.port)
        try:
            yield World(subject, simulated, line)
        finally:
            line.close()


def in_world(subject: Subject, act: Callable[[World, Bench], Any]) -> None:
    async def main(world: World) -> None:
        bench = world.bench()
        try:
            await act(world, bench)
        finally:
            await bench.aclose()

    with world_of(subject) as world:
        asyncio.run(main(world))


def is_in_order(ended: Ended) -> bool:
    """Failed in the contract's own words: nothing foreign came through, and nothing was made up."""
    return ended.outcome != "succeeded" and ended.error is not None and ended.error.kind != "internal_error"


def test_every_integration_has_its_part_of_the_suite() -> None:
    assert {loaded.name for loaded in BUILT_IN} <= {subject.name for subject in SUBJECTS}
    assert [loaded.name for loaded in find_integrations() if loaded.trouble] == []


@each_subject
def test_its_jobs_succeed_while_the_upstream_is_well(subject: Subject) -> None:
    async def act(_world: World, bench: Bench) -> None:
        for job_type, payload in subject.jobs:
            ended, steps = await bench.run(job_type, payload)
            assert ended.outcome == "succeeded", (job_type, ended.error)
            assert steps
        assert bench.logins == subject.logins

    in_world(subject, act)


@each_subject
def test_an_outage_is_a_failure_in_order_and_it_recovers(subject: Subject) -> None:
    async def act(world: World, bench: Bench) -> None:
        world.line.cut()
        for job_type, payload in subject.jobs:
            ended, _ = await bench.run(job_type, payload)
            assert is_in_order(ended), ended
            assert ended.error is not None
            assert ended.error.retryable, ended.error
        world.line.mend()
        for job_type, payload in subject.jobs:
            ended, steps = await bench.run(job_type, payload)
            assert ended.outcome == "succeeded", (ended.error, steps)

    in_world(subject, act)


@each_subject
def test_an_expired_token_costs_one_login_and_no_failure(subject: Subject) -> None:
    async def act(world: World, bench: Bench) -> None:
        for job_type, payload in subject.jobs:
            before = bench.logins
            if before:
                world.simulated.expire()
            assert (await bench.run(job_type, payload))[0].outcome == "succeeded"
            assert bench.logins == before + subject.logins

    in_world(subject, act)


@each_subject
def test_answers_in_another_form_are_failures_in_order(subject: Subject) -> None:
    async def act(world: World, bench: Bench) -> None:
        world.simulated.change_shape()
        for job_type, payload in subject.jobs:
            ended, _ = await bench.run(job_type, payload)
            assert is_in_order(ended), ended

    in_world(subject, act)


@each_subject
def test_no_secret_comes_out_of_it(subject: Subject) -> None:
    """Steps, results, errors, records of calls, logs: well, cut off, expired, and in another form."""
    log = io.StringIO()
    said: list[Any] = []

    async def act(world: World, bench: Bench) -> None:
        for trouble in (None, world.simulated.expire, world.line.cut, world.line.mend, world.simulated.change_shape):
            if trouble is not None:
                trouble()
            for job_type, payload in subject.jobs:
                said.append(await bench.run(job_type, payload))
        said.append(list(bench.calls.calls))
        text = msgspec.json.encode(said, enc_hook=str).decode() + log.getvalue()
        assert world.simulated.secrets
        assert [secret for secret in world.simulated.secrets if secret in text] == []

    with logged_to(log):
        in_world(subject, act)


@each_subject
def test_it_leaves_no_connection_and_no_task_behind(subject: Subject) -> None:
    async def act(world: World, bench: Bench) -> None:
        before = asyncio.all_tasks()
        for job_type, payload in subject.jobs:
            await bench.run(job_type, payload)
        await bench.aclose()
        left = asyncio.all_tasks() - before
        if left:
            await asyncio.wait(left, timeout=60)
        assert [task for task in left if not task.done()] == []
        wait_until(lambda: world.line.open_count == 0, what="the end of its connections", timeout_s=60)

    in_world(subject, act)


def begun(line: Line, running: "asyncio.Task[Any]") -> Callable[[], bool]:
    return lambda: line.open_count > 0 or running.done()


@each_subject
def test_one_that_is_cancelled_lets_go_at_once(subject: Subject) -> None:
    async def act(world: World, bench: Bench) -> None:
        for job_type, payload in subject.jobs:
            running = asyncio.create_task(bench.run(job_type, payload))
            await asyncio.to_thread(wait_until, begun(world.line, running), what="a connection")
            watch = Stopwatch()
            running.cancel()
            await asyncio.wait({running}, timeout=60)
            assert running.done()
            assert watch.took_s < LETS_GO_S + watch.late_s
        await bench.aclose()
        wait_until(lambda: world.line.open_count == 0, what="the end of its connections", timeout_s=60)

    in_world(subject, act)


@each_subject
def test_one_that_is_not_configured_is_there_and_quiet(subject: Subject, tmp_path: Path) -> None:
    log = io.StringIO()
    store = open_store(tmp_path)
    folder = subject.integration.folder / "migrations"
    migrate_store(store, [folder] if folder.is_dir() else [])

    async def act() -> None:
        host = QuietHost(subject.integration, store)
        offer = subject.integration.setup(host)
        await live(offer)
        for route in offer.routes:
            await ask(route.handle, route.path, method=route.method)
        for page in offer.pages:
            await see(page, subject.name)
        assert list(host.calls.calls) == []
        await host.aclose()

    try:
        nothing = values_of(subject.integration.manifest.settings, {}).__getitem__
        assert subject.integration.manifest.is_configured(nothing) is not subject.needs_settings
        with logged_to(log):
            asyncio.run(act())
    finally:
        store.close()
    assert [line for line in log.getvalue().splitlines() if '"level": "error"' in line] == []


async def live(offer: Offer) -> None:
    if offer.start is not None:
        await offer.start()
    for loop in offer.loops:
        await loop.run()
    assert [item.name for item in offer.health if not item.check()] == []
    if offer.stop is not None:
        await offer.stop()


async def see(page: Page, name: str) -> None:
    """With nothing in it: a view; only of what is named in the address there may be none."""
    try:
        view = await page.show(request(page.path))
    except NotFound:
        assert "{" in page.path
        return
    assert view.template.startswith(f"{name}/")


async def ask(handle: Callable[[Request], Any], path: str, *, method: str) -> None:
    """With nothing in it: an answer, or one of our errors."""
    try:
        given = await handle(request(path, method=method))
        if isinstance(given, EventStream):
            async for _ in given.events:
                break
    except AtalaiaError:
        return


def request(path: str, *, method: str = "GET") -> Request:
    names = [part.partition("}")[0] for part in path.split("{")[1:]]
    return Request(
        method=method,
        path=path,
        path_params=dict.fromkeys(names, "0190a000-0000-7000-8000-000000000000"),
        query={},
        headers={},
        body=b"{}",
        principal=SYSTEM,
        client="127.0.0.1",
    )


@each_subject
def test_all_that_it_says_is_translated(subject: Subject) -> None:
    integration = subject.integration
    said = [integration.manifest.summary, *(setting.help for setting in integration.manifest.settings)]
    for job_type in integration.job_types:
        said += [job_type.title, *(text for each in job_type.form for text in (each.label, each.help) if text)]
    files = [*SOURCE.rglob("translations/pt_BR.po"), *integration.folder.rglob("translations/pt_BR.po")]
    translated = read_catalogue(files).texts
    assert [text for text in said if text not in translated] == []


@pytest.mark.parametrize("loaded", BUILT_IN, ids=lambda loaded: loaded.name)
def test_its_settings_are_documented(loaded: Any) -> None:
    """All in the reference; those that somebody has to choose also in its own page."""
    page = (ROOT / "docs" / "integrations" / f"{loaded.name}.md").read_text(encoding="utf-8")
    reference = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    settings = loaded.integration.manifest.settings
    assert [each.environment for each in settings if f"`{each.environment}`" not in reference] == []
    to_be_chosen = [each for each in settings if each.default in (None, "", ())]
    assert [each.environment for each in to_be_chosen if each.environment not in page] == []


@each_subject
def test_its_parts_are_named_after_it_and_each_route_has_a_permission(subject: Subject) -> None:
    manifest = subject.integration.manifest
    assert manifest.title
    assert manifest.owner
    assert [each.key for each in manifest.settings if each.section != f"integrations.{manifest.name}"] == []
    declared = {each.name for each in subject.integration.upstreams}
    assert {each.upstream for each in subject.integration.job_types} <= declared | {None}
    known = {each.key.rpartition(".")[2] for each in manifest.settings if each.kind != "secret"}
    assert {name for each in subject.integration.job_types for name in each.settings} <= known


@contextmanager
def logged_to(stream: io.StringIO) -> Iterator[None]:
    before = structlog.get_config()
    configure_logging(level="DEBUG", stream=stream)
    try:
        yield
    finally:
        structlog.configure(**before)
