"""The small parts: clock, line, urgency, back-off, reach, dialling."""

import socket
import threading

import pytest

from atalaia_agent import dial as dial_module
from atalaia_agent.backoff import Backoff
from atalaia_agent.clock import ClockOffset, parse_instant_ms
from atalaia_agent.deadline import Deadline
from atalaia_agent.der import days_since_epoch
from atalaia_agent.dial import Address, dial, resolve
from atalaia_agent.failures import ProbeError
from atalaia_agent.line import Line
from atalaia_agent.outcome import Outcome
from atalaia_agent.pool import Pool
from atalaia_agent.reach import Reach
from atalaia_agent.urgency import Urgency
from atalaia_agent.urls import split_host_port
from tests.stillness import Stillness
from tests.unit.agent.local_servers import dropping, silent


def test_a_pool_makes_threads_when_they_are_needed_up_to_its_limit() -> None:
    pool, gate, done = Pool("test", max_threads=3), threading.Event(), threading.Semaphore(0)
    names: set[str] = set()

    def task() -> None:
        gate.wait(10)
        names.add(str(threading.get_ident()))
        done.release()

    for _ in range(9):
        pool.submit(task)
    gate.set()
    assert all(done.acquire(timeout=60) for _ in range(9))
    assert 1 <= len(names) <= 3
    with pytest.raises(ZeroDivisionError):
        pool.call(
            lambda: 1 / 0, wait=lambda is_done: Deadline(5).wait(lambda most_ms: is_done(most_ms / 1_000), "too slow")
        )


def test_a_pool_that_gets_no_more_threads_goes_on_with_those_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool, gate, done = Pool("test", max_threads=3), threading.Event(), threading.Semaphore(0)

    def task() -> None:
        gate.wait(10)
        done.release()

    pool.submit(task)
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", refuse)
    pool.submit(task)
    gate.set()
    assert all(done.acquire(timeout=60) for _ in range(2))
    with pytest.raises(RuntimeError, match="new thread"):
        Pool("alone", max_threads=1).submit(task)
    monkeypatch.setattr(threading.Thread, "start", start)


def test_a_name_that_takes_too_long_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(10))
    with pytest.raises(TimeoutError, match=r"slow.example was not resolved within 0.05 s"):
        resolve("slow.example", 80, deadline=Deadline(0.05))
    release.set()


def test_a_family_that_leads_nowhere_costs_a_quarter_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with dropping() as dead, silent() as alive:
        addresses = [Address(socket.AF_INET, ("127.0.0.1", port)) for port in (dead, alive)]
        monkeypatch.setattr(dial_module, "resolve", lambda *_, **__: addresses)
        with Stillness() as still:
            dialed = dial("both.example", 1, deadline=Deadline(60))
        with dialed.sock:
            assert dialed.sock.getpeername()[1] == alive
    assert 240 <= dialed.connect_ms < 2_000 + still.longest_s * 1000


def test_an_address_that_refuses_is_passed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as alive, socket.create_server(("127.0.0.1", 0)) as closing:
        addresses = [Address(socket.AF_INET, ("127.0.0.1", port)) for port in (closing.getsockname()[1], alive)]
        closing.close()
        monkeypatch.setattr(dial_module, "resolve", lambda *_, **__: addresses)
        with Stillness() as still:
            dialed = dial("both.example", 1, deadline=Deadline(60))
        dialed.sock.close()
    assert dialed.connect_ms < 240 + still.longest_s * 1000


def test_families_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    six, four = ("2001:db8::1", 80, 0, 0), ("192.0.2.1", 80)
    found = [(socket.AF_INET6, 1, 6, "", six)] * 2 + [(socket.AF_INET, 1, 6, "", four)] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    families = [address.family for address in resolve("both.example", 80, deadline=Deadline(5))]
    assert families == [socket.AF_INET6, socket.AF_INET] * 2


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("192.0.2.1", True),
        ("127.0.0.1", True),
        ("2001:db8::1", True),
        ("169.254.169.254", False),
        ("169.254.170.2", False),
        ("fd00:ec2::254", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("fe80::1%lo", True),
    ],
)
def test_metadata_addresses_are_denied_in_every_dress(address: str, is_allowed: bool) -> None:
    assert Reach().is_allowed(address) is is_allowed


def test_allowed_networks_are_the_only_ones() -> None:
    reach = Reach(allow=["10.0.0.0/8", "2001:db8::/32"], deny=["10.1.0.0/16"])
    assert [reach.is_allowed(a) for a in ("10.2.3.4", "2001:db8::5", "10.1.0.1", "192.0.2.1")] == [
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(ProbeError, match="do not allow"):
        reach.check("192.0.2.1")


def test_the_clock_offset_comes_from_the_quickest_of_the_last_eight() -> None:
    assert ClockOffset().offset_ms is None
    clock = ClockOffset()
    clock.observe(1_000, 6_080, 6_080, 1_100)
    assert clock.offset_ms == 5_030
    clock.observe(2_000, 7_010, 7_015, 2_025)
    assert clock.offset_ms == 5_000
    for at in range(3_000, 11_000, 1_000):
        clock.observe(at, at + 30, at + 30, at + 60)
    assert clock.offset_ms == 0


def test_instants_are_read_as_utc() -> None:
    assert parse_instant_ms("1970-01-01T00:00:01.5Z") == 1_500
    assert parse_instant_ms("2026-01-02T03:04:05.678+00:00") == 1_767_323_045_678
    assert days_since_epoch(2000, 2, 29) == 11_016
    for wrong in ("2026-01-02T03:04:05", "2026-01-02T03:04:05-03:00", "today"):
        with pytest.raises(ValueError, match="not an instant"):
            parse_instant_ms(wrong)


def test_the_line_is_up_when_one_reference_answers_and_down_when_none_does() -> None:
    assert Line([]).check() == "unknown"
    with silent() as port, socket.create_server(("127.0.0.1", 0)) as closing:
        closed = closing.getsockname()[1]
        closing.close()
        assert Line([("127.0.0.1", closed), ("127.0.0.1", port)]).check() == "up"
        line = Line([("127.0.0.1", closed)])
        assert (line.check(), line.state) == ("down", "down")


def outcome(error: str | None = None) -> Outcome:
    found = Outcome()
    if error:
        found.fail(ProbeError(error, error))
    return found


def test_a_change_and_what_follows_it_are_urgent_until_it_has_settled() -> None:
    urgency = Urgency()
    assert urgency.is_urgent(outcome())
    assert not any(urgency.is_urgent(outcome()) for _ in range(5))
    assert all(urgency.is_urgent(outcome("refused")) for _ in range(30))
    recovery = [urgency.is_urgent(outcome()) for _ in range(20)]
    assert recovery[:10] == [True] * 10
    assert not any(recovery[12:])


def test_back_off_doubles_to_a_minute_and_starts_again() -> None:
    backoff = Backoff()
    waits = [backoff.next_s() for _ in range(12)]
    assert 1 <= waits[0] <= 2
    assert all(30 <= wait <= 60 for wait in waits[6:])
    assert 120 <= backoff.next_s(120) <= 132
    backoff.reset()
    assert backoff.next_s() <= 2


@pytest.mark.parametrize(
    ("text", "default", "parts"),
    [
        ("host:80", None, ("host", 80)),
        ("[::1]:80", None, ("::1", 80)),
        ("::1", 53, ("::1", 53)),
        ("[::1]", 53, ("::1", 53)),
        ("host", 53, ("host", 53)),
    ],
)
def test_host_and_port_are_told_apart(text: str, default: int | None, parts: tuple[str, int]) -> None:
    assert split_host_port(text, default) == parts
