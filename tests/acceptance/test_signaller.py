"""The signaller as a process: an agent that says "look now", with a hub and without one."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.servers import running, wait_until
from tests.stopwatch import Stopwatch
from tests.unit.agent.local_servers import http, http_answering, https_answering, make_pki, silent
from tests.unit.agent.processes import Process, agent_running, environment, status_of
from tests.unit.agent.signal_server import KEY, SignalServer
from tests.unit.agent.stub_hub import StubHub

INTERVAL_S = 0.4
PATIENT = ("--signal-timeout-s", "30")  # where it matters that each signal is answered: machines may stand still
MAX_RESIDENT_KB = 22 * 1_024


@pytest.fixture
def server() -> Iterator[SignalServer]:
    with SignalServer() as made:
        yield made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "signaller.log"


@contextlib.contextmanager
def signalling(url: str, log: Path, *flags: str, interval_s: float = INTERVAL_S, **env: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "atalaia_agent", "--signal-url", url, "--signal-interval-s", str(interval_s)]
    own = environment(**{"ATALAIA_SIGNAL_KEY": KEY, "LC_ALL": "C", **env})
    with log.open("ab") as out, running([*command, *flags], env=own, stdout=out, stderr=out, cwd=log.parent) as process:
        yield process


def until_came(server: SignalServer, count: int) -> None:
    wait_until(lambda: len(server.came) >= count, what=f"{count} signals", timeout_s=60)


def until_said(log: Path, words: str) -> None:
    wait_until(lambda: words in log.read_text(), what=words, timeout_s=60)


def assert_no_burst(server: SignalServer) -> None:
    """It sends at instants of a grid, each one once and no two at once.

    Then n intervals lie between a signal and the next but n: one less where the former was late on its way out, and one less
    where it came late, since its answer is waited for. The others may be seen as late as this machine likes.
    """
    came = [each.at for each in server.came]
    for number, at in enumerate(came):
        for ahead, later in enumerate(came[number + 3 :], start=1):
            assert later - at > ahead * INTERVAL_S - 0.01, came


def test_a_signal_is_as_the_first_signallers_sent_it(server: SignalServer, log: Path) -> None:
    with signalling(server.url, log):
        until_came(server, 2)
    came = server.came[1]
    assert (came.path, came.key) == ("/functions/v1/monitor-execution", KEY)
    assert set(came.body) == {"timestamp", "source"}
    assert came.body["source"] == "vps-monitor"
    sent_at = datetime.fromisoformat(came.body["timestamp"])
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60


def test_it_keeps_to_its_grid_over_one_connection(server: SignalServer, log: Path) -> None:
    """Each answer takes a fifth of the interval: a loop that sleeps in between would be behind by that each time."""
    server.answer_s = INTERVAL_S / 5
    with signalling(server.url, log, *PATIENT):
        until_came(server, 15)
    came = [each.at / INTERVAL_S for each in server.came]
    # Any may have come late, also the first: the grid is where most of them are near it.
    off = [median(abs(at - one - round(at - one)) for at in came) for one in came]
    assert min(off) < 0.1
    assert_no_burst(server)
    assert server.connections == 1


def test_an_answer_that_takes_long_is_waited_for_and_what_was_due_meanwhile_is_not_sent_in_a_burst(
    server: SignalServer, log: Path
) -> None:
    server.answer_s = INTERVAL_S * 2.5
    with signalling(server.url, log, *PATIENT):
        until_came(server, 4)
        server.answer_s = 0.0
        until_came(server, 10)
    assert server.most_at_once == 1
    assert_no_burst(server)
    assert server.connections == 1


def test_it_goes_on_at_once_when_the_server_is_back(server: SignalServer, log: Path) -> None:
    """However long it was away: no wait is longer than the interval."""
    with signalling(server.url, log, "--signal-statistics-s", "1", *PATIENT):
        until_came(server, 2)
        server.close()
        until_said(log, "signals are not answered: Connection refused")
        wait_until(lambda: bool(re.search("Failed signals: [2-9]", log.read_text())), what="two failed", timeout_s=60)
        server.reopen()
        until_said(log, "signals are answered again after")
        until_came(server, 6)
    said = log.read_text()
    assert said.count("signals are not answered: Connection refused") == 1
    assert said.count("signals are answered again after") == 1
    assert said.count("signals to http") == 1


def test_a_refused_key_is_said_once_and_every_signal_counts_as_failed(server: SignalServer, log: Path) -> None:
    server.status = 401
    with signalling(server.url, log, "--signal-statistics-s", "1", *PATIENT):
        until_came(server, 5)
        counted = re.compile(
            r"Successful signals: 0 \| Failed signals: ([5-9]|[1-9]\d+) \| Success rate: 0% \| Last status: 401"
        )
        wait_until(lambda: bool(counted.search(log.read_text())), what="five of them in the statistics", timeout_s=60)
    said = log.read_text()
    assert said.count("signals fail: 401 Unauthorized, the key is refused") == 1
    assert KEY not in said


def test_errors_whose_words_differ_are_one_trouble(server: SignalServer, log: Path) -> None:
    """A 500 carries an id that is never the same."""
    server.status = 500
    with signalling(server.url, log, *PATIENT):
        until_came(server, 5)
    assert log.read_text().count("signals fail: 500") == 1


def test_it_tells_each_minute_how_it_went_in_the_readers_language(server: SignalServer, log: Path) -> None:
    server.then = [202, 200, 429, 500]
    flags = ("--signal-statistics-s", "1", *PATIENT)
    with signalling(server.url, log, *flags, LC_ALL="", LANG="pt_BR.UTF-8"):
        until_said(log, "Último status")
        until_came(server, 8)
    last = log.read_text().splitlines()[-1]
    found = re.fullmatch(
        r"Tempo ativo: 0d 00:\d\d \| Total de sinais enviados: (\d+) \| Sinais bem-sucedidos: (\d+)"
        r" \| Sinais com falha: 1 \| Taxa de sucesso: (\d+(?:,\d\d)?)% \| Último status: 202",
        last,
    )
    assert found, last
    sent, succeeded = int(found[1]), int(found[2])
    assert succeeded == sent - 1
    assert sent in (len(server.came), len(server.came) - 1)  # the last one may have been cut by the end
    assert float(found[3].replace(",", ".")) == pytest.approx(succeeded / sent * 100, abs=0.01)
    assert log.read_text().count("os sinais falham: 500") == 1


def test_nobody_who_answers_costs_no_more_than_the_time_limit(log: Path) -> None:
    with silent() as port, signalling(f"http://127.0.0.1:{port}", log, "--signal-statistics-s", "1"):
        until_said(log, "signals are not answered: no answer within 1 s")
        until_said(log, "Last status: no answer")


def test_it_ends_at_once_and_says_how_it_went(server: SignalServer, log: Path) -> None:
    server.answer_s = 20.0
    with signalling(server.url, log, *PATIENT) as process:
        until_came(server, 1)
        watch = Stopwatch()
        process.terminate()
        assert process.wait(60) == 0
        assert watch.took_s < 5 + watch.late_s
    assert "Signals sent: 0" in log.read_text()


def test_the_old_names_of_its_settings_and_the_one_file_are_enough(server: SignalServer, log: Path) -> None:
    from atalaia.agents.pyz import agent_file

    pyz = log.with_name("agent.pyz")
    pyz.write_bytes(agent_file().content)
    env = {name: value for name, value in environment().items() if name not in ("PYTHONPATH", "ATALAIA_KEY")}
    old = {**env, "EDGE_FUNCTION_URL": server.url, "MONITOR_API_KEY": KEY}
    watch = Stopwatch()
    with log.open("ab") as out, running([sys.executable, str(pyz)], env=old, stdout=out, stderr=out, cwd=log.parent):
        until_came(server, 2)
    assert server.came[0].key == KEY
    assert server.came[1].at - server.came[0].at == pytest.approx(2, abs=0.5 + watch.late_s)
    assert not list(log.parent.glob("**/spool*"))


def test_beside_its_usual_work_the_signal_keeps_its_grid(server: SignalServer, tmp_path: Path) -> None:
    """Slow probes, a plan that changes, a hub that is asked: the signal comes first."""
    config = tmp_path / "agent.toml"
    config.write_text(f'[signal]\nurl = "{server.url}"\nkey = "{KEY}"\ninterval_s = {INTERVAL_S}\ntimeout_s = 30\n')
    with silent() as nobody, http_answering(http()) as plain, StubHub() as hub:
        slow = {"kind": "http", "target": f"http://127.0.0.1:{nobody}", "interval_s": 1, "timeout_s": 1}
        quick = {"kind": "http", "target": plain.url, "interval_s": 0.2, "timeout_s": 1}
        hub.set_plan(*({"id": f"s{n}", **slow} for n in range(5)), {"id": "q", **quick})
        with agent_running(hub.url, tmp_path / "spool", "--config", str(config)):
            until_came(server, 8)
            hub.set_plan({"id": "q", **quick}, {"id": "!signal", "kind": "signal", "target": "x", "interval_s": 0.2})
            until_came(server, 16)
            assert hub.results("q")
    assert server.most_at_once == 1
    assert server.connections == 1
    assert_no_burst(server)
    assert {came.body["source"] for came in server.came} == {"vps-monitor"}


def test_it_verifies_the_certificate_and_stays_small(log: Path, tmp_path: Path) -> None:
    pki = make_pki(tmp_path)
    (tmp_path / "authority.pem").write_text(pki.authority_pem)
    with https_answering(pki, http("202 Accepted")) as port:
        url = f"https://localhost:{port}/"
        with signalling(url, log, *PATIENT):
            until_said(log, "signals are not answered")
        with signalling(url, log, *PATIENT, "--signal-ca-file", str(tmp_path / "authority.pem")) as process:
            until_said(log, "signals to https")
            wait_until(lambda: "VmRSS" in status_of(process.pid), what="memory")
            process.terminate()
            process.wait(60)
    assert "unable to get local issuer certificate" in log.read_text()


def test_a_signaller_stays_below_22_mb(server: SignalServer, log: Path) -> None:
    with signalling(server.url, log, interval_s=0.2) as process:
        until_came(server, 10)
        assert int(status_of(process.pid)["VmRSS"].split()[0]) <= MAX_RESIDENT_KB


def test_a_hub_is_told_and_throttles_what_comes_too_soon(shared_hub: Hub, log: Path) -> None:
    """From the key to the count: 202, 429, and 401 for a key that is made for another signal."""
    client = shared_hub.client("admin")
    job = {"type": "look", "payload": {}}
    client.made("/api/signals", {"name": "look", "task": "job", "job": job, "min_interval_s": 0.6})
    key = client.made("/api/keys", {"name": "look", "scopes": ["signal:look"]})["key"]
    url = f"{shared_hub.url}/api/signals/look"
    with signalling(url, log, "--signal-statistics-s", "1", *PATIENT, ATALAIA_SIGNAL_KEY=key):
        until_said(log, "Success rate: 100%")
        wait_until(lambda: _answers(shared_hub)["throttled"] > 0, what="a throttled signal", timeout_s=60)
    answers = _answers(shared_hub)
    assert answers["started"] >= 1
    assert answers["refused"] == answers["invalid"] == answers["failed"] == 0
    assert client.items("/api/signals/look/runs")[-1]["source"] == "vps-monitor"
    with signalling(url, log):
        until_said(log, "signals fail: 401 Unauthorized, the key is refused")


def _answers(hub: Hub) -> dict[str, int]:
    answers: dict[str, int] = hub.client("admin").get("/api/signals/look/rates").json["answers"]
    return answers


def test_a_hub_that_is_killed_is_signalled_again_as_soon_as_it_is_back(make_hub: MakeHub, log: Path) -> None:
    hub = make_hub(env={"ATALAIA_SIGNALS_LEASE_S": "2"}).start()
    client = hub.client("admin")
    client.made(
        "/api/signals", {"name": "look", "task": "job", "job": {"type": "look", "payload": {}}, "min_interval_s": 0}
    )
    key = client.made("/api/keys", {"name": "look", "scopes": ["signal:look"]})["key"]
    with signalling(f"{hub.url}/api/signals/look", log, ATALAIA_SIGNAL_KEY=key) as process:
        wait_until(lambda: len(client.items("/api/signals/look/runs")) >= 2, what="two runs", timeout_s=60)
        hub.kill()
        until_said(log, "signals are not answered")  # it may have been in the middle of an answer
        hub.start()
        before = len(client.items("/api/signals/look/runs"))
        until_said(log, "signals are answered again after")
        # One that the kill ended keeps the others out as long as its lease lasts.
        wait_until(lambda: len(client.items("/api/signals/look/runs")) > before, what="a run after it", timeout_s=120)
        assert process.poll() is None
    runs = [run["id"] for run in client.items("/api/signals/look/runs")]
    assert len(runs) == len(set(runs))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--signal-url", "ftp://x"], "signal_url: it must begin with http"),
        (["--signal-url", "http://h", "--signal-key-file", "/no/such"], "there is no file /no/such"),
        (["--signal-url", "http://h", "--signal-key", ""], "no key for the signal"),
        (["--signal-interval-s", "2"], "no signal_url"),
    ],
)
def test_a_wrong_setting_is_named(flags: list[str], message: str) -> None:
    command = [sys.executable, "-m", "atalaia_agent", "--hub", "http://h", *flags]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 2
    assert message in done.stderr
