"""An integration that fails, or takes what is not its own, is shown as failed and harms nobody."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import get

from atalaia.app.host import HostParts
from atalaia.app.hub_jobs import HubJobs
from atalaia.app.integrations import Standing, Status, set_up
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import Permission, Principal
from atalaia.core.settings import Setting, Settings
from atalaia.integrations import Loaded, load_one
from atalaia.jobs.model.types import JobTypes
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.sdk.contribution import Contribution, HotRoute, NavItem
from atalaia.sdk.integration import Host, Manifest, Offer, Page, Reply, Request, Route, View
from atalaia.sdk.jobs import JobType, run_of_offer
from atalaia.sdk.signals import SignalAddress, SignalStanding, SignalTask
from atalaia.sdk.upstreams import UpstreamDeclaration
from atalaia.store.live import Live


@get("/api/checks/{check_id:str}", sync_to_thread=False)
def of_a_slice(check_id: str) -> str:
    return check_id


async def hot(_scope: Any, _receive: Any, _send: Any) -> None: ...


BELOW = (
    Contribution(name="slice", routes=(of_a_slice,), hot_routes=(HotRoute("/api/hot", hot, Permission.CHECKS_READ),)),
)


async def answer(request: Request) -> Reply:  # noqa: ARG001 - a route's form
    return Reply()


async def show(request: Request) -> View:  # noqa: ARG001 - a page's form
    return View("kind/page.html", "Page")


def route(path: str) -> Route:
    return Route("GET", path, Permission.CHECKS_READ, answer)


class Kind:
    """An integration that offers what it was made with."""

    folder = Path(__file__).parent
    upstreams: Sequence[UpstreamDeclaration] = ()
    job_types: Sequence[JobType] = ()

    def __init__(self, offer: Callable[[], Offer], *, name: str = "kind", **manifest: Any) -> None:
        self._offer = offer
        self.manifest = Manifest(name=name, title=name.title(), owner="us", summary="", **manifest)

    def setup(self, host: Host) -> Offer:  # noqa: ARG002 - the contract's form
        return self._offer()


class NoSignals:
    """The hub's part in signals, for integrations that have none."""

    def take(
        self, _integration: str, _tasks: Sequence[SignalTask], _addresses: Sequence[SignalAddress]
    ) -> list[HotRoute]:
        return []

    def forget(self, integration: str) -> None:
        pass

    async def of_task(self, _task: str) -> list[SignalStanding]:
        return []

    async def look_now(self, _task: str, *, by: Principal) -> bool:  # noqa: ARG002 - the contract's form
        return False


def stand(*kinds: Kind) -> list[Status]:
    absent = cast("Any", None)  # nothing is asked of these while an integration is set up
    parts = HostParts(
        store=cast("Any", SimpleNamespace(live=Live())),  # of which live topics alone
        clock=SystemClock(),
        settings=Settings(()),
        sealer=absent,
        public_url="http://hub",
        jobs=absent,
        job_runs=HubJobs(absent, types=JobTypes(), upstream=absent),
        upstreams=absent,
        signals=NoSignals(),
        channels=ChannelKinds(),
        messages=absent,
    )
    return set_up([Loaded(kind.manifest.name, kind) for kind in kinds], parts, pages=cast("Any", None), below=BELOW)


def broken() -> Offer:
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("offer", "trouble"),
    [
        (broken, "RuntimeError: broken"),
        (lambda: Offer(routes=(route("/api/checks/{id}"),)), "GET /api/checks/{} is taken already"),
        (lambda: Offer(routes=(route("/api/hot"),)), "GET /api/hot is taken already"),
        (lambda: Offer(job_runs={"others": run_of_offer}), "others is no job type of its own"),
        (lambda: Offer(pages=(Page("/checks", Permission.CHECKS_READ, show),)), "the page /checks is not below /kind"),
    ],
)
def test_one_that_fails_is_shown_so_and_gives_nothing(offer: Callable[[], Offer], trouble: str) -> None:
    (status,) = stand(Kind(offer))
    assert status.standing() is Standing.FAILED
    assert trouble in (status.trouble or "")
    assert status.contribution.routes == []
    (item,) = status.contribution.health
    assert (item.name, item.check(), item.degrades) == ("integration_kind", False, False)


def test_of_two_that_want_one_address_the_first_has_it() -> None:
    def offer() -> Offer:
        return Offer(routes=(route("/api/theirs"),))

    first, second = stand(Kind(offer, name="first"), Kind(offer, name="second"))
    assert (first.standing(), second.standing()) == (Standing.READY, Standing.FAILED)


def test_a_question_that_fails_makes_it_failed_not_the_page() -> None:
    def wrong(_setting: Callable[[str], Any]) -> bool:
        raise KeyError("nothing")

    (status,) = stand(Kind(Offer, is_configured=wrong))
    assert status.standing() is Standing.FAILED

    def badge() -> int:
        raise ValueError("no")

    nav = NavItem("connect", "Kind", "/kind", Permission.CHECKS_READ, badge=badge)
    (status,) = stand(Kind(lambda: Offer(nav=(nav,))))
    (item,) = status.contribution.nav
    assert item.badge is not None
    assert item.badge() == 0


@pytest.mark.parametrize("name", ["watch", "settings", "Kind", "a", "with-dash"])
def test_a_name_that_is_not_free_is_refused(name: str) -> None:
    assert load_one("x", lambda: Kind(Offer, name=name)).integration is None


def test_settings_of_others_are_refused() -> None:
    settings = (Setting("integrations.other.url", "str", "", "An address."),)
    loaded = load_one("x", lambda: Kind(Offer, settings=settings))
    assert "integrations.other.url is no setting of the integration kind" in (loaded.trouble or "")


def test_one_that_is_in_use_without_its_settings_is_ready_and_people_may_begin_at_its_pages() -> None:
    used = False

    def offer() -> Offer:
        item = NavItem("watch", "Kind", "/kind", Permission.DASHBOARDS_READ)
        return Offer(nav=(item,), is_in_use=lambda: used)

    (status,) = stand(Kind(offer, is_configured=lambda _setting: False))
    (item,) = status.contribution.nav
    assert item.is_in_use is not None
    assert (status.standing(), item.is_in_use()) == (Standing.UNCONFIGURED, False)
    used = True
    assert (status.standing(), item.is_in_use()) == (Standing.READY, True)
