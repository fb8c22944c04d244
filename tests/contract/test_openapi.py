"""The running hub keeps what /openapi.json says: no 5xx, no status that is not described, whatever is sent."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from atalaia_simulators.binance import InThread
from tests.acceptance.hub import Hub

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 12
BUDGET_S = 30
KEY_PATH = "/api/keys/{key_id}"
SCOPES = ("agent", "ingest", "read", "write", "jobs:create", "jobs:work", "admin")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    exchange = InThread()  # without one its routes would say, rightly, 503
    exchange.start()
    env = {"ATALAIA_ALLOW_PRIVATE_TARGETS": "0", "ATALAIA_BINANCE_BASE_URL": exchange.url}
    hub = Hub(tmp_path_factory.mktemp("openapi"), env=env)
    try:
        yield hub.start()
    finally:
        hub.close()
        exchange.close()


def test_every_operation_names_itself_and_its_answers(hub: Hub) -> None:
    described = hub.client().get("/openapi.json").json
    operations = {
        f"{method.upper()} {path}": operation
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete", "head"}
    }
    assert len(operations) > 30
    assert [name for name, operation in operations.items() if not operation.get("summary")] == []
    assert [name for name, operation in operations.items() if not operation.get("responses")] == []
    wanted = {"POST /api/checks", "GET /api/incidents", "POST /api/channels", "POST /api/routes", "GET /api/ping/stats"}
    wanted |= {
        "POST /api/ping",
        "POST /api/v1/import/prometheus",
        "GET /api/series/query",
        "GET /health",
        "GET /metrics",
    }
    assert wanted <= set(operations)


@pytest.mark.timeout(900)
def test_nothing_that_is_sent_makes_a_5xx_or_an_undocumented_status(hub: Hub) -> None:
    """Keys are revoked in a second run: the first would soon have none."""
    send_everything(hub, "--exclude-path", KEY_PATH, "--max-time", str(BUDGET_S))
    send_everything(hub, "--include-path", KEY_PATH)


def send_everything(hub: Hub, *options: str) -> None:
    key = hub.make_key(*SCOPES)
    command = [str(SCHEMATHESIS), "run", f"{hub.url}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    command += ["--header", f"X-API-Key: {key}"]  # the description names it: without, it would be made up
    command += ["--checks", "not_a_server_error,status_code_conformance", "--phases", "examples,coverage,fuzzing"]
    command += [
        "--max-examples",
        str(EXAMPLES),
        "--seed",
        "1",
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
    ]
    command += [
        "--request-timeout",
        "120",
        "--no-color",
        "--generation-database",
        "none",
        "--warnings",
        "off",
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=hub.folder)
    errors = [line for line in hub.process.output.splitlines() if '"level": "error"' in line]
    assert done.returncode == 0, "\n".join([done.stdout[-12_000:], done.stderr[-2_000:], *errors[:5]])
