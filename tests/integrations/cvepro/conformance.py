"""Charging's part of the suite that all integrations run through. It has no jobs: the suite runs what its client does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import msgspec

from atalaia.integrations.cvepro import integration
from atalaia.integrations.cvepro.cloud.client import Cloud
from atalaia.integrations.cvepro.cloud.translate import read_chargers, read_sessions
from atalaia.integrations.cvepro.cloud.translate_offered import read_active, read_tags
from atalaia.sdk.jobs import JobRun, JobType
from atalaia.sdk.upstreams import Upstream
from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import Subject

API_KEY = "canary-key-of-the-chargers"
PASSWORD = "canary-password-of-the-chargers"
EMAIL = "canary@example.org"


class Work(msgspec.Struct):
    day: date


class Ground:
    """cloud.Ground, of a job's run."""

    def __init__(self, run: JobRun) -> None:
        self._run = run

    def setting(self, name: str) -> Any:
        return self._run.settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:
        assert (name, account) == (integration.manifest.name, "default")
        return self._run.upstream()


async def look(run: JobRun) -> dict[str, int]:
    cloud = Cloud(Ground(run))
    async with run.step("chargers") as step:
        listed = await cloud.chargers()
        await step.note(chargers=len(listed.items))
    return {"chargers": len(read_chargers(listed.items, zone=cloud.zone).chargers)}


async def history(run: JobRun) -> dict[str, int]:
    cloud = Cloud(Ground(run))
    async with run.step("sessions"):
        listed = await cloud.sessions(run.payload.day, run.payload.day)
    return {"sessions": len(read_sessions(listed.items, zone=cloud.zone).sessions)}


async def besides(run: JobRun) -> dict[str, int]:
    """The lists that an account may offer."""
    cloud = Cloud(Ground(run))
    async with run.step("tags"):
        tags = read_tags((await cloud.offered("tags", "tags")).items).tags
    async with run.step("active"):
        listed = await cloud.offered("active", "transaction/active")
    return {"tags": len(tags), "active": len(read_active(listed.items, zone=cloud.zone).sessions)}


def job_type(name: str, run: Any) -> JobType:
    return JobType(
        name=name,
        title=name,
        payload=Work,
        run=run,
        runs_on="hub",
        upstream="cvepro",
        settings=("base_url", "utc_offset_h"),
    )


class Vendor:
    def __init__(self, simulator: InThread) -> None:
        self._client = Client(simulator.url)
        self.port = urlsplit(simulator.url).port or 0

    @property
    def secrets(self) -> Sequence[str]:
        return (API_KEY, PASSWORD)

    def settings(self, port: int) -> Mapping[str, Any]:
        return {
            "base_url": f"http://127.0.0.1:{port}",
            "api_key": API_KEY,
            "email": EMAIL,
            "password": PASSWORD,
        }

    def expire(self) -> None:
        self._fault(expire_token=True)

    def change_shape(self) -> None:
        self._fault(rename={"chargePointList": "chargeBoxes", "list": "transactions"})
        # Where a list may be anywhere its name says nothing: there it is none any more.
        self._fault(retype=["list"])

    def _fault(self, **faults: Any) -> None:
        assert self._client.post("/_sim/faults", faults).status == 200


@contextmanager
def simulate() -> Iterator[Vendor]:
    simulator = InThread(Options(api_key=API_KEY, email=EMAIL, password=PASSWORD))
    simulator.start()
    try:
        yield Vendor(simulator)
    finally:
        simulator.close()


SUBJECT = Subject(
    integration=integration,
    simulate=simulate,
    jobs=tuple((f"cvepro_{name}", {"day": "2026-01-15"}) for name in ("look", "history", "besides")),
    job_types=(
        job_type("cvepro_look", look),
        job_type("cvepro_history", history),
        job_type("cvepro_besides", besides),
    ),
)
