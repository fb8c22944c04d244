import json
import os
import socket
import threading
from pathlib import Path

import pytest

from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context, host_containers
from atalaia_agent.probes.exposition import parse_exposition
from tests.unit.agent.local_servers import http, http_answering
from tests.unit.agent.measured import measured


def values(found: Outcome, name: str) -> dict[tuple[str, ...], float]:
    return {tuple(labels.values()): value for sampled, labels, value in found.samples if sampled == name}


def test_the_host_tells_its_facts_as_data_and_samples() -> None:
    context = Context()
    first, found = measured("host", context=context), measured("host", context=context)
    assert first.is_ok
    assert found.is_ok
    for fact in ("cpu_percent", "memory_percent", "swap_percent", "disk_percent"):
        assert 0 <= found.data[fact] <= 100, fact
    assert found.data["uptime_s"] > 0
    assert values(found, "host_memory_total_bytes")[()] > 1_000_000
    assert ("/",) in values(found, "host_disk_percent")
    assert len(found.samples) == len({(name, tuple(labels.items())) for name, labels, _ in found.samples})


def test_a_limit_that_is_passed_fails_and_is_named() -> None:
    found = measured("host", limits={"memory_percent": 0, "disk_percent": 101})
    assert (found.is_ok, found.error) == (False, "limit_exceeded")
    assert (found.message or "").startswith("memory_percent is ")
    assert found.samples
    assert measured("host", limits={"memory": 5}).error == "bad_option"
    assert measured("host", disks="/no/such/place").error == "bad_option"


def put_program(folder: Path, name: str, output: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    program.chmod(0o755)


def test_units_and_processes_that_do_not_run_fail_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    units = (
        "Id=a.service\nLoadState=loaded\nActiveState=active\nMemoryCurrent=1024\n\n"
        "Id=b.service\nLoadState=not-found\nActiveState=inactive\nMemoryCurrent=[not set]"
    )
    put_program(tmp_path, "systemctl", units)
    processes = [
        {"name": "web", "pm_id": 0, "monit": {"memory": 7}, "pm2_env": {"status": "online", "restart_time": 2}},
        {"name": "job", "pm_id": 1, "monit": {"memory": 0}, "pm2_env": {"status": "errored"}},
    ]
    put_program(tmp_path, "pm2", ">>>> In-memory PM2 is out-of-date\n" + json.dumps(processes))
    found = measured("host", units=["a.service", "b.service"], pm2=True)
    assert found.message == "unit b.service is not there; pm2 process job is errored"
    named = measured("host", pm2=["web", "gone"])
    assert named.message == "pm2 process gone is not there"
    assert values(found, "host_unit_active") == {("a.service",): 1.0, ("b.service",): 0.0}
    assert values(found, "host_unit_memory_bytes") == {("a.service",): 1024.0}
    assert values(found, "host_pm2_restarts_total") == {("web", "0"): 2.0, ("job", "1"): 0.0}


def test_the_hub_can_not_name_options_of_a_program() -> None:
    assert measured("host", units=["--host=elsewhere"]).error == "bad_option"


def test_without_names_the_failed_units_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = tmp_path / "systemctl"
    shown = "Id=b.service\\nLoadState=loaded\\nActiveState=failed\\n"
    program.write_text(f"#!/bin/sh\nif [ $1 = list-units ]; then cat {tmp_path}/failed; else printf '{shown}'; fi\n")
    program.chmod(0o755)
    (tmp_path / "failed").write_text("b.service loaded failed failed B\n")
    found = measured("host", units=True)
    assert (found.message, found.data["units_failed"]) == ("unit b.service is failed", 1)
    (tmp_path / "failed").write_text("")
    assert measured("host", units=True).is_ok


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host_containers, "SOCKETS", (str(tmp_path / "none.sock"),))
    assert measured("host", units="a.service").error == "not_installed"
    assert measured("host", pm2=True).error == "not_installed"
    assert measured("host", containers=True).error == "not_installed"


def test_containers_that_failed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "docker.sock")
    monkeypatch.setattr(host_containers, "SOCKETS", (path,))
    containers = [
        {"Id": "1", "Names": ["/web"], "Image": "w", "State": "running", "Status": "Up 2 hours"},
        {"Id": "2", "Names": ["/job"], "Image": "j", "State": "exited", "Status": "Exited (137) 1 hour ago"},
        {"Id": "3", "Names": ["/once"], "Image": "o", "State": "exited", "Status": "Exited (0) 1 hour ago"},
    ]
    stats = {"memory_stats": {"usage": 100, "stats": {"inactive_file": 40}}}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(10)

        def serve() -> None:
            for answer in (containers, stats, containers):
                sock = listener.accept()[0]
                with sock:
                    sock.recv(10_000)
                    sock.sendall(http(body=json.dumps(answer).encode()))

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        found = measured("host", containers=True)
        named = measured("host", containers=["once", "gone", "job"])
        serving.join(10)
    assert found.message == "container job is exited (Exited (137) 1 hour ago)"
    assert named.message == (
        "container job is exited (Exited (137) 1 hour ago); container once is exited; container gone is not there"
    )
    assert values(found, "host_container_running") == {("web", "w"): 1.0, ("job", "j"): 0.0, ("once", "o"): 0.0}
    assert values(found, "host_container_memory_bytes") == {("web", "w"): 60.0}


def test_only_new_whole_lines_of_a_log_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("ERROR before the first look\n")
    context = Context()

    def look() -> int:
        found = measured("host", context=context, logs=[{"path": str(log), "pattern": "ERROR|FATAL", "name": "app"}])
        count: int = found.data["logs"]["app"]
        assert values(found, "host_log_matches") == {("app",): count}
        return count

    assert look() == 0
    with log.open("a") as out:
        out.write("fine\nERROR 1\nFATAL 2\nERROR half a li")
    assert look() == 2
    with log.open("a") as out:
        out.write("ne\n")
    assert look() == 1
    assert look() == 0
    log.rename(tmp_path / "app.log.1")
    log.write_text("ERROR after the rotation\n")
    assert look() == 1
    log.write_text("")
    assert look() == 0


def test_a_log_may_have_a_limit_and_must_be_readable(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("")
    context = Context()
    logs = [{"path": str(log), "pattern": "E", "max": 0}]
    assert measured("host", context=context, logs=logs).is_ok
    log.write_text("E\n")
    assert measured("host", context=context, logs=logs).error == "limit_exceeded"
    log.unlink()
    assert "No such file" in (measured("host", context=context, logs=logs).message or "")
    assert measured("host", logs=[{"path": "relative", "pattern": "x"}]).error == "bad_option"
    assert measured("host", logs=[{"path": "/x", "pattern": "("}]).error == "bad_option"


EXPOSITION = rb"""# HELP queue_depth Jobs.
# TYPE queue_depth gauge
queue_depth{queue="mail",note="a \"b\" \\ \n c, {d}="} 3
queue_depth{queue="web",} 4 1700000000000
up 1
http_seconds_bucket{le="+Inf"} 7 # {trace_id="x"} 0.5
nothing NaN
this is no line
bad{a=b} 1
"""


def test_an_exposition_is_read_and_wrong_lines_are_counted() -> None:
    samples, wrong = parse_exposition(EXPOSITION.decode())
    assert samples[0] == ("queue_depth", {"queue": "mail", "note": 'a "b" \\ \n c, {d}='}, 3.0)
    assert [number for number, _ in wrong] == [8, 9]
    with http_answering(http(body=EXPOSITION)) as server:
        found = measured("prometheus", server.url + "/metrics", labels={"site": "sp"})
    assert found.is_ok
    assert (found.data["samples"], found.data["wrong_lines"]) == (4, 2)
    assert ("queue_depth", {"queue": "web", "site": "sp"}, 4.0) in found.samples
    assert ("http_seconds_bucket", {"le": "+Inf", "site": "sp"}, 7.0) in found.samples


def test_only_named_samples_are_kept_and_limits_hold() -> None:
    with http_answering(http(body=EXPOSITION)) as server:
        named = measured("prometheus", server.url, names=["up", "http_*"])
        over = measured("prometheus", server.url, limits={"queue_depth": {"max": 3.5}, "gone": {"min": 1}})
        many = measured("prometheus", server.url, max_samples=2)
        large = measured("prometheus", server.url, max_bytes=50)
    assert [name for name, _, _ in named.samples] == ["up", "http_seconds_bucket"]
    assert (over.error, over.message) == ("limit_exceeded", "queue_depth is 4; gone is not there")
    assert many.error == "too_many_samples"
    assert large.error == "too_large"


def test_a_page_is_no_exposition() -> None:
    with http_answering(http(body=b"<html>sign in</html>")) as server:
        assert measured("prometheus", server.url).error == "bad_response"
