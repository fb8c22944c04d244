"""The agent as a process, against a hub that keeps to the wire and is made to misbehave."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import zipapp
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port, wait_until
from tests.stopwatch import Stopwatch
from tests.unit.agent.local_servers import http, http_answering, serving, silent
from tests.unit.agent.processes import SOURCE, Process, agent_running, environment
from tests.unit.agent.stub_hub import KEY, StubHub

pytestmark = pytest.mark.acceptance

Json = dict[str, Any]


def http_probe(probe_id: str, url: str, *, interval_s: float = 0.2, **more: Any) -> Json:
    return {"id": probe_id, "kind": "http", "target": url, "interval_s": interval_s, "timeout_s": 30, **more}


@pytest.fixture
def hub() -> Iterator[StubHub]:
    with StubHub() as running:
        yield running


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@contextlib.contextmanager
def target() -> Iterator[str]:
    with http_answering(http()) as server:
        yield server.url


def log_of(spool: Path) -> str:
    return spool.with_suffix(".log").read_text()


def until(condition: Any, what: str) -> None:
    wait_until(condition, what=what, timeout_s=60)


def assert_nothing_twice(hub: StubHub) -> None:
    keys = [(record["probe"], record["at"]) for record in hub.results()]
    assert len(set(keys)) == len(keys)


def test_it_connects_says_so_once_and_reports(hub: StubHub, spool: Path) -> None:
    with target() as url, agent_running(hub.url, spool, "--name", "sp-1"):
        hub.set_plan(http_probe("web", url))
        until(lambda: len(hub.results("web")) >= 5, "five results")
    assert log_of(spool).count(f"connected to {hub.url} as sp-1") == 1
    result = hub.results("web")[0]
    assert (result["ok"], result["outcome"], result["error"], result["line"]) == (True, "ok", None, "unknown")
    assert set(result["phases"]) == {"dns", "connect", "first_byte", "transfer"}
    agent = hub.batches[0]["agent"]
    assert {"name", "hostname", "version", "python", "platform", "pid", "incarnation", "started_at"} == set(agent)
    status = hub.batches[-1]["status"]
    assert {"spool_records", "dropped_total", "clock_offset_ms", "line", "rss_bytes", "late_total"} <= set(status)
    assert status["rss_bytes"] > 5_000_000
    assert_nothing_twice(hub)


def test_a_plan_changes_without_a_restart(hub: StubHub, spool: Path) -> None:
    with target() as url, agent_running(hub.url, spool):
        hub.set_plan(http_probe("a", url))
        until(lambda: bool(hub.results("a")), "the first probe")
        hub.set_plan(http_probe("b", url))
        until(lambda: len(hub.results("b")) >= 3, "the second probe")
        until(lambda: len(hub.results("b")) >= 8, "more of the second")
    # One that was on its way when the plan changed may come late.
    assert max(each["at"] for each in hub.results("a")) <= hub.results("b")[2]["at"]
    assert len({batch["agent"]["pid"] for batch in hub.batches}) == 1


def test_a_change_and_a_try_are_sent_at_once(spool: Path) -> None:
    port = free_port()
    with StubHub(report_interval_s=60) as hub, agent_running(hub.url, spool):
        hub.set_plan(http_probe("web", f"http://127.0.0.1:{port}", interval_s=0.3))
        until(lambda: len(hub.results("web")) >= 3, "failures, each at once")
        assert {result["error"] for result in hub.results("web")} == {"connection_refused"}
        watch = Stopwatch()
        hub.set_plan(tries=(http_probe("x", f"http://127.0.0.1:{port}", try_id="try-1"),))
        until(lambda: any(result.get("try_id") == "try-1" for result in hub.results()), "the try")
        delay_ms = time.time() * 1_000 - hub.results()[-1]["at"]
        assert delay_ms < 3_000 + watch.late_s * 1_000


def test_pings_are_at_once_and_regular_and_measure_by_one_clock(hub: StubHub, spool: Path) -> None:
    hub.clock_ahead_s = 3_600.0
    hub.processing_s = 0.05
    flags = ("--ping", "--ping-interval-s", "0.25", "--location", "sp", "--datacenter", "dc1", "--country", "BR")
    watch = Stopwatch()
    with agent_running(hub.url, spool, *flags, "--ping-target", "here"):
        until(lambda: len(hub.of_type("ping")) >= 6, "six pings")
        until(lambda: hub.batches[-1]["status"]["clock_offset_ms"] is not None, "the clock's offset")
    late_s = watch.late_s
    pings = hub.of_type("ping")
    assert {ping["outcome"] for ping in pings} == {"ok"}
    assert all(ping["rtt_ms"] > 0 and ping["processing_ms"] >= 40 for ping in pings)
    assert min(ping["rtt_ms"] for ping in pings) < 40 + late_s * 1_000 / len(pings), "without what the hub took"
    assert pings[0]["connect_ms"] > 0
    assert {ping["connect_ms"] for ping in pings[1:]} == {None}
    assert {ping["target"] for ping in pings} == {"here"}
    assert pings[0]["source"] == {"location": "sp", "datacenter": "dc1", "country": "BR"} == hub.pings[0]["source"]
    assert len({ping["ping_id"] for ping in pings}) == len(pings)
    assert hub.batches[-1]["status"]["clock_offset_ms"] == pytest.approx(3_600_000, abs=1_000 + late_s * 1_000)
    gaps = [later["at"] - earlier["at"] for earlier, later in pairwise(pings)]
    assert sum(gaps) / len(gaps) == pytest.approx(250, abs=60 + late_s * 1_000 / len(gaps))


def test_a_refused_ping_and_a_silent_collector_are_told_apart(hub: StubHub, spool: Path) -> None:
    with silent() as port:
        slow = {"id": "slow", "kind": "ping", "target": f"http://127.0.0.1:{port}", "interval_s": 1, "timeout_s": 0.3}
        strange = {"id": "strange", "kind": "ping", "target": hub.url, "interval_s": 1, "secrets": {"key": "wrong"}}
        closed = {"id": "closed", "kind": "ping", "target": f"http://127.0.0.1:{free_port()}", "interval_s": 1}
        hub.set_plan(slow, strange, closed)
        with agent_running(hub.url, spool):
            wanted = {("slow", "timeout"), ("strange", "http_401"), ("closed", "connection_error")}
            until(lambda: wanted <= {(p["probe"], p["outcome"]) for p in hub.of_type("ping")}, "all pings")
    assert {p["outcome"] for p in hub.of_type("ping") if p["probe"] == "slow"} == {"timeout"}


def test_an_outage_is_filled_in_afterwards_with_the_measured_times(spool: Path) -> None:
    with target() as url:
        watch = Stopwatch()
        with StubHub() as hub:
            hub.set_plan(http_probe("web", url, interval_s=0.2))
            with agent_running(hub.url, spool):
                until(lambda: len(hub.results("web")) >= 3, "results before the outage")
                hub.answers.extend([(503, {})] * 3)
                hub.forget_answers = 2
                until(lambda: not hub.answers and not hub.forget_answers, "the outage")
                count = len(hub.results("web"))
                until(lambda: len(hub.results("web")) >= count + 5, "results after it")
        times = sorted(result["at"] for result in hub.results("web"))
    assert_nothing_twice(hub)
    assert hub.duplicates > 0
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) < 1_500 + watch.late_s * 1_000
    assert "the hub does not take records now: 503" in log_of(spool)
    assert "the hub takes records again after" in log_of(spool)


def test_it_goes_on_with_the_last_plan_while_the_hub_is_away(spool: Path) -> None:
    with target() as url:
        with StubHub() as hub:
            hub.set_plan(http_probe("web", url), http_probe("kept-secret", url, secrets={"token": "sec-ret-token"}))
            with agent_running(hub.url, spool):
                until(lambda: bool(hub.results("web")) and bool(hub.results("kept-secret")), "the plan")
        kept = (spool / "plan.json").read_text()
        assert "sec-ret-token" not in kept
        with agent_running(f"http://127.0.0.1:{free_port()}", spool):
            until(lambda: _spooled(spool, "web") >= 3, "measuring without a hub")
        assert "can't be reached" in log_of(spool)


def _spooled(spool: Path, probe_id: str) -> int:
    found = 0
    for path in spool.glob("*.seg"):
        with contextlib.suppress(FileNotFoundError):  # what has been sent goes
            found += path.read_text().count(f'"probe":"{probe_id}"')
    return found


def test_a_wrong_record_is_set_aside_alone(hub: StubHub, spool: Path) -> None:
    hub.poison = "bad"
    with target() as url, agent_running(hub.url, spool):
        hub.set_plan(http_probe("bad", url, interval_s=500), http_probe("good", url))
        until(lambda: len(hub.results("good")) >= 5 and (spool / "rejected").exists(), "the rest")
        until(lambda: hub.batches[-1]["status"]["rejected_total"] == 1, "the count")
    kept = json.loads(next((spool / "rejected").iterdir()).read_text())
    assert [record["probe"] for record in kept["records"]] == ["bad"]
    assert "a record is wrong" in kept["reason"]


def test_a_batch_that_is_too_large_is_halved(hub: StubHub, spool: Path) -> None:
    with target() as url, agent_running(hub.url, spool):
        hub.answers.extend([(503, {"headers": {"Retry-After": "2"}}), (413, {}), (413, {})])
        hub.set_plan(http_probe("web", url))
        until(lambda: len(hub.results("web")) >= 8, "all records")
    sizes = [len(batch["records"]) for batch in hub.batches if batch["records"]]
    assert sizes[0] <= sizes[1]
    assert_nothing_twice(hub)


def test_a_spool_from_a_snapshot_loses_nothing(hub: StubHub, spool: Path) -> None:
    """A machine set back to an earlier state would give numbers again that the hub has had."""
    with target() as url:
        hub.set_plan(http_probe("web", url))
        with agent_running(hub.url, spool):
            until(lambda: len(hub.results("web")) >= 3, "the first life")
        hub.high_water[hub.batches[0]["spool"]["id"]] += 1_000_000
        known = {record["at"] for record in hub.results("web")}
        watch = Stopwatch()
        with agent_running(hub.url, spool):
            until(lambda: len(hub.results("web")) >= len(known) + 5, "the second life")
    times = sorted(record["at"] for record in hub.results("web") if record["at"] not in known)
    assert max(later - earlier for earlier, later in pairwise(times)) < 1_500 + watch.late_s * 1_000
    assert log_of(spool).count("this spool is an old copy") == 1
    assert_nothing_twice(hub)


def test_a_refused_key_is_said_once_and_an_unreachable_hub_too(hub: StubHub, spool: Path) -> None:
    hub.key = "another"
    with agent_running(hub.url, spool) as process:
        until(lambda: "refuses this agent's key" in log_of(spool), "the complaint")
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert log_of(spool).count("this key is not known") == 1
    assert KEY not in log_of(spool)


def test_sigterm_flushes_and_ends_within_five_seconds(spool: Path) -> None:
    with target() as url, silent() as port, StubHub(report_interval_s=60) as hub:
        hub.set_plan(
            http_probe("web", url, interval_s=0.1),
            http_probe("stuck", f"http://127.0.0.1:{port}", timeout_s=60),
        )
        with agent_running(hub.url, spool) as process:
            until(lambda: hub.records != [] and _spooled(spool, "web") > 5, "unsent records")
            unsent = _spooled(spool, "web")
            watch = Stopwatch()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert watch.took_s < 5 + watch.late_s
        assert len(hub.results("web")) >= unsent


def test_a_silent_hub_does_not_hold_up_the_end(spool: Path) -> None:
    with (
        silent() as port,
        agent_running(f"http://127.0.0.1:{port}", spool, "--ping", "--ping-interval-s", "0.2") as process,
    ):
        until((spool / "spool.json").exists, "the start")
        watch = Stopwatch()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert watch.took_s < 5 + watch.late_s


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "atalaia_agent", *arguments]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=60, check=False)


def test_a_second_agent_on_one_spool_is_refused_with_the_firsts_number(hub: StubHub, spool: Path) -> None:
    with agent_running(hub.url, spool) as process:
        until(lambda: hub.plans_asked > 0, "the first agent")
        second = run("--hub", hub.url, "--spool", str(spool))
    assert second.returncode == 1
    assert f"process {process.pid}" in second.stderr


def test_a_token_becomes_a_key_that_is_kept(hub: StubHub, spool: Path) -> None:
    refused = run("--hub", hub.url, "--spool", str(spool), "--enrol", "stale", ATALAIA_KEY="")
    assert refused.returncode == 1
    assert "the token has expired" in refused.stderr
    for flags in (("--enrol", "once", "--name", "sp-1"), ()):
        asked = hub.plans_asked
        with agent_running(hub.url, spool, *flags, ATALAIA_KEY=""):
            until(lambda asked=asked: hub.plans_asked > asked, "a plan")
    assert (spool / "key").read_text().strip() == KEY
    assert (spool / "key").stat().st_mode & 0o777 == 0o600


def test_without_a_key_it_says_how_to_give_one(hub: StubHub, spool: Path) -> None:
    done = run("--hub", hub.url, "--spool", str(spool), ATALAIA_KEY="")
    assert (done.returncode, "ATALAIA_KEY" in done.stderr) == (2, True)


def test_it_tells_that_its_own_line_is_down(hub: StubHub, spool: Path, tmp_path: Path) -> None:
    closed = free_port()
    config = tmp_path / "agent.toml"
    config.write_text(f'[line]\nreference = ["127.0.0.1:{closed}"]\n')
    with agent_running(hub.url, spool, "--config", str(config)):
        hub.set_plan(http_probe("web", f"http://127.0.0.1:{closed}"))
        until(lambda: bool(hub.results("web")), "a result")
        until(lambda: hub.batches[-1]["status"]["line"] == "down", "the status")
    assert hub.results("web")[0]["line"] == "down"


def test_a_slow_target_does_not_hold_up_the_others(hub: StubHub, spool: Path) -> None:
    with target() as url, silent() as port, agent_running(hub.url, spool):
        slow = [http_probe(f"slow-{n}", f"http://127.0.0.1:{port}", timeout_s=20) for n in range(12)]
        hub.set_plan(*slow, http_probe("quick", url))
        until(lambda: len(hub.results("quick")) >= 10, "the quick one")
        until(lambda: hub.batches[-1]["status"]["late_total"] > 0, "late ones are counted")


def test_it_works_as_one_file(tmp_path: Path) -> None:
    def wanted(path: Path) -> bool:
        return path.parts[0] == "atalaia_agent" and "__pycache__" not in path.parts

    one = tmp_path / "agent.pyz"
    zipapp.create_archive(SOURCE, one, main="atalaia_agent.main:main", filter=wanted, compressed=True)
    kinds = ("http", "tcp", "dns", "tls", "icmp", "ping", "host", "prometheus", "postgresql", "mysql")
    for kind in kinds:
        probe = json.dumps(
            {
                "kind": kind,
                "target": "127.0.0.1:1" if kind != "dns" else "a",
                "timeout_s": 1,
                "options": {"resolver": "127.0.0.1:1"} if kind == "dns" else {},
            }
        )
        done = subprocess.run(
            [sys.executable, "-I", str(one), "probe", probe], capture_output=True, text=True, check=False, timeout=60
        )
        assert "Traceback" not in done.stderr
        assert '"error": "internal_error"' not in done.stdout
        assert '"t": ' in done.stdout


def test_a_probe_of_an_unknown_kind_or_form_fails_alone(hub: StubHub, spool: Path) -> None:
    with target() as url, agent_running(hub.url, spool):
        strange = {"id": "new", "kind": "quantum", "target": "x", "interval_s": 0.2}
        hub.set_plan(strange, {"id": "broken", "kind": 5}, http_probe("web", url))
        until(lambda: bool(hub.results("new")) and bool(hub.results("web")), "both")
    assert hub.results("new")[0]["error"] == "unknown_kind"
    assert hub.results("new")[0]["outcome"] == "error"
    assert "a probe of the plan can't be read: kind must be text" in log_of(spool)


def test_a_target_that_goes_down_and_up_is_told_within_a_second(spool: Path) -> None:
    state = {"is_up": True}

    def answer(sock: Any) -> None:
        sock.recv(10_000)
        if state["is_up"]:
            sock.sendall(http())

    with serving(answer) as port, StubHub(report_interval_s=30) as hub, agent_running(hub.url, spool) as process:
        hub.set_plan(http_probe("web", f"http://127.0.0.1:{port}", interval_s=0.2))
        until(lambda: bool(hub.results("web")), "the first result")
        for is_up in (False, True, False):
            state["is_up"] = is_up
            watch = Stopwatch()
            until(lambda is_up=is_up: hub.results("web")[-1]["ok"] is is_up, "the change")
            assert watch.took_s < 0.2 + 1.0 + watch.late_s
        _assert_alive(process)


def _assert_alive(process: Process) -> None:
    assert process.poll() is None
