"""A proxy before the third party cuts the WebSocket wherever it likes: no vehicle executed twice, and no job says what is not so."""

import random
from pathlib import Path

import pytest

from tests.acceptance.cutting import CuttingRelay
from tests.acceptance.fleet import Fleet

pytestmark = pytest.mark.acceptance
CUTS = 6
FIRST_VEHICLE = 4_000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [20261122])
def test_a_socket_that_is_cut_in_the_middle_of_a_frame_executes_nothing_twice(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    fleet = Fleet(tmp_path)
    with CuttingRelay(fleet.port) as relay:
        fleet.hub.process.env["ATALAIA_TRAFFILOG_WS_URL"] = f"ws://127.0.0.1:{relay.port}"
        with fleet.started():
            relay.arm(None)
            assert fleet.finish(fleet.start_job(vehicle=FIRST_VEHICLE, client=FIRST_VEHICLE))["status"] == "completed"
            whole_bytes = relay.passed_bytes
            assert whole_bytes > 1_000
            cuts = 0
            for number in range(1, 3 * CUTS + 1):
                vehicle = FIRST_VEHICLE + number
                cut_at = chance.randrange(1, whole_bytes)
                relay.arm(cut_at)
                job = fleet.finish(fleet.start_job(vehicle=vehicle, client=vehicle))
                executed = len(fleet.executions(vehicle))
                told = (seed, number, cut_at, job["state"], job["error"])
                cuts += relay.has_cut
                assert executed <= 1, told
                assert job["status"] in {"completed", "error"}, told
                if job["status"] == "completed":
                    assert executed == 1, told
                elif job["state"] != "unknown":
                    assert executed == 0, told
                if cuts == CUTS:
                    break
                if (
                    not relay.has_cut and job["status"] == "completed"
                ):  # all that a job says may be less than another time
                    whole_bytes = min(whole_bytes, relay.passed_bytes)
            assert cuts == CUTS
