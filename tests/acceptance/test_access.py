"""Commands beside a running hub: what they do holds in it at once."""

import json
import re
import threading
import time
from urllib.parse import urlsplit

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.servers import wait_until
from tests.stopwatch import Stopwatch


def test_a_key_made_beside_a_running_hub_works_at_once_and_a_revoked_one_stops_within_a_second(hub: Hub) -> None:
    done = hub.cli("key", "create", "script", "--scope", "read", "--json")
    made = json.loads(done.stdout)
    assert made.keys() == {"id", "key"}
    client = Client(hub.url, made["key"])
    assert client.get("/api/checks").status == 200

    answers: list[tuple[float, int]] = []
    stop = threading.Event()

    def use() -> None:
        while not stop.wait(0.02):
            answers.append((time.monotonic(), client.get("/api/checks").status))

    user = threading.Thread(target=use)
    user.start()
    try:
        revoked = hub.cli("key", "revoke", made["id"])
        revoked_by, watch = time.monotonic(), Stopwatch()
        wait_until(lambda: bool(answers) and answers[-1][1] == 401, what="the end of the key", timeout_s=5)
    finally:
        stop.set()
        user.join()
    assert revoked.returncode == 0, revoked.stderr
    # It was committed before the command ended, so a second after that no request may pass.
    latest = revoked_by + 1 + watch.late_s
    assert [status for at, status in answers if at > latest and status != 401] == []


def test_a_missing_scope_is_403_a_wrong_key_and_none_401(hub: Hub) -> None:
    assert hub.client("ingest").get("/api/checks").status == 403
    assert Client(hub.url, "ata_wrong").get("/api/checks").status == 401
    assert Client(hub.url).get("/api/checks").status == 401


def test_a_key_in_use_elsewhere_is_taken_over_by_its_value(hub: Hub) -> None:
    value = "the-worker-has-used-this-since-2023"
    done = hub.cli("key", "create", "worker", "--scope", "read", "--value-stdin", "--json", stdin=value + "\n")
    assert json.loads(done.stdout)["key"] == value
    assert Client(hub.url).request("GET", "/api/checks", headers={"x-worker-key": value}).status == 200
    short = hub.cli("key", "create", "old", "--scope", "read", "--value-stdin", stdin="twelve-chars\n")
    assert short.returncode == 0
    assert "32 characters" in short.stderr


def test_wrong_commands_say_what_is_wrong_and_end_with_one(hub: Hub) -> None:
    for arguments, words in (
        (("key", "create", "x", "--scope", "raed"), "read?"),
        (("key", "revoke", "nothing"), "no such API key"),
        (("user", "create", "x", "--role", "ADMIN"), "not an e-mail address"),
        (("user", "create", "x@example.org", "--role", "BOSS"), "a role is one of"),
        (("user", "reset", "nobody@example.org"), "no such person"),
    ):
        done = hub.cli(*arguments)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_person_made_by_command_signs_in_by_the_link_that_it_prints(hub: Hub) -> None:
    done = hub.cli("user", "create", "bia@example.org", "--role", "AGENT", "--url", hub.url, "--json")
    address = json.loads(done.stdout)["link"]
    assert address.startswith(f"{hub.url}/choose-password?token=")
    page = Client(hub.url).request("GET", urlsplit(address).path + "?" + urlsplit(address).query)
    assert page.status == 200
    assert "bia@example.org" in page.text
    listed = json.loads(hub.cli("user", "list", "--json").stdout)
    assert [(person["email"], person["has_password"]) for person in listed] == [("bia@example.org", False)]


def test_the_first_start_address_is_printed_until_there_is_an_admin(make_hub: MakeHub) -> None:
    hub = make_hub()
    hub.start()
    wait_until(lambda: hub.first_start is not None, what="the line behind the one that says it is ready")
    assert hub.first_start is not None
    assert re.fullmatch(rf"{hub.url}/first-start\?token=[\w-]{{43}}", hub.first_start)
    hub.make_admin()
    assert Client(hub.url).get(hub.first_start.removeprefix(hub.url)).status == 410
    hub.restart()
    assert hub.first_start is None
