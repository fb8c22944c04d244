"""WhatsApp's part of the suite that all integrations run through. It has no jobs: the suite runs what its client does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from atalaia.integrations.evolution import integration
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.sdk.jobs import JobRun, JobType
from atalaia.sdk.upstreams import Upstream
from atalaia_simulators.evolution import InThread, Options
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import Subject

API_KEY = "canary-key-of-whatsapp"
INSTANCE = "suite"


class Work(msgspec.Struct):
    number: str


class Ground:
    """api.Ground, of a job's run."""

    def __init__(self, run: JobRun) -> None:
        self._run = run

    def setting(self, name: str) -> Any:
        return API_KEY if name == "api_key" else self._run.settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:
        assert (name, account) == (integration.manifest.name, "default")
        return self._run.upstream()


async def look(run: JobRun) -> dict[str, str]:
    async with run.step("state"):
        return {"state": await EvolutionApi(Ground(run)).state()}


async def send(run: JobRun) -> dict[str, str]:
    api = EvolutionApi(Ground(run))
    async with run.step("state"):
        await api.await_open()
    async with run.irreversible("send", number=run.payload.number):
        return {"answer": await api.send_text(run.payload.number, "olá")}


def job_type(name: str, run: Any) -> JobType:
    return JobType(
        name=name,
        title=name,
        payload=Work,
        run=run,
        runs_on="hub",
        upstream="evolution",
        settings=("base_url", "instance"),
    )


class Phone:
    def __init__(self, simulator: InThread) -> None:
        self._client = Client(simulator.url)
        self.port = urlsplit(simulator.url).port or 0

    @property
    def secrets(self) -> Sequence[str]:
        return (API_KEY,)

    def settings(self, port: int) -> Mapping[str, Any]:
        return {"base_url": f"http://127.0.0.1:{port}", "api_key": API_KEY, "instance": INSTANCE}

    def expire(self) -> None:
        """There is nothing that could: a key is good until it is taken away."""

    def change_shape(self) -> None:
        self._client.made("/_sim/faults", {"changed_shape": True})


@contextmanager
def simulate() -> Iterator[Phone]:
    simulator = InThread(Options(api_key=API_KEY, instance=INSTANCE))
    simulator.start()
    try:
        yield Phone(simulator)
    finally:
        simulator.close()


SUBJECT = Subject(
    integration=integration,
    simulate=simulate,
    jobs=(("evolution_state", {"number": "5511912345678"}), ("evolution_send", {"number": "5511912345678"})),
    job_types=(job_type("evolution_state", look), job_type("evolution_send", send)),
)
