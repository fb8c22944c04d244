"""Fills an empty hub through its own API, as a team would: checks, a channel and its route, samples of a day."""

import http.client
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from atalaia_simulators.site import Site

TIMEOUT_S = 30
INTERVAL_S = 5
HEARTBEAT_S = 30
HISTORY_S = 24 * 3600
HISTORY_STEP_S = 60
SEED = 7


class Refused(Exception):
    """The hub did not take what the demo sent."""


@dataclass(frozen=True, slots=True)
class Api:
    """Calls of one key."""

    url: str
    key: str

    def post(self, path: str, value: Any) -> Any:
        return json.loads(self.send(path, json.dumps(value).encode(), kind="application/json") or b"null")

    def get(self, path: str) -> Any:
        return json.loads(self._call("GET", path, None, {}))

    def await_agents(self, count: int, *, timeout_s: float = 30) -> list[str]:
        """Until so many agents have reported; their ids, in the order of their names. Raises: Refused."""
        until = time.monotonic() + timeout_s
        while True:
            items = self.get("/api/agents")["items"]
            if len(items) >= count:
                return [str(item["id"]) for item in sorted(items, key=lambda item: str(item["name"]))]
            if time.monotonic() > until:
                raise Refused(f"{len(items)} of {count} agents reported within {timeout_s:g} s")
            time.sleep(0.2)

    def ping(self, url: str) -> None:
        """Tell a heartbeat's address that the job has run."""
        self._call("GET", urlsplit(url).path, None, {})

    def send(self, path: str, body: bytes, *, kind: str) -> bytes:
        return self._call("POST", path, body, {"Content-Type": kind})

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body=body, headers={"Authorization": f"Bearer {self.key}", **headers})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:  # noqa: PLR2004 - RFC 9110
            raise Refused(f"{path}: {answer.status} {content.decode(errors='replace')}")
        return content


def checks_of(site: Site, agents: Sequence[str]) -> list[dict[str, Any]]:
    """The checks of the demo: some from everywhere, some from one place."""
    everywhere = {
        "agents": list(agents),
        "interval_s": INTERVAL_S,
        "timeout_s": 3,
        "failures_to_down": 2,
        "successes_to_up": 2,
    }
    one_place = {**everywhere, "agents": [agents[0]]}

    def http_check(name: str, path: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "kind": "http", "target": site.url + path, **everywhere, **more}

    return [
        http_check("Shop", "/", labels={"system": "shop", "team": "web"}),
        http_check("Orders API", "/api/orders", severity="critical", labels={"system": "orders", "team": "backend"}),
        http_check("Checkout", "/checkout", severity="critical", labels={"system": "shop", "team": "web"}),
        http_check("Sign-in", "/login", degraded_ms=400, labels={"system": "shop", "team": "web"}),
        {
            "name": "Mail server",
            "kind": "tcp",
            "target": site.service_address,
            **one_place,
            "labels": {"system": "mail"},
        },
        {
            "name": "This machine",
            "kind": "host",
            "target": "",
            **one_place,
            "interval_s": 15,
            "labels": {"system": "hosts"},
        },
        {
            "name": "Nightly export",
            "kind": "heartbeat",
            "period_s": HEARTBEAT_S,
            "grace_s": 10,
            "labels": {"system": "jobs"},
        },
    ]


def furnish(api: Api, *, site: Site, sink_url: str, sink_secret: str, agent_ids: Sequence[str]) -> str:
    """Make everything; the heartbeat's ping address."""
    channel = api.post(
        "/api/channels", {"name": "Demo webhook", "kind": "webhook", "url": sink_url, "secret": sink_secret}
    )
    api.post("/api/routes", {"channel": channel["id"], "match": {}})
    made = [api.post("/api/checks", check) for check in checks_of(site, agent_ids)]
    return str(next(check["ping_url"] for check in made if check["kind"] == "heartbeat"))


def history(now: float) -> Iterator[bytes]:
    """A day of samples, as bodies of text exposition with times: orders that follow the day, a queue that walks."""
    chance = random.Random(SEED)
    total, depth, lines = 100_000.0, 20.0, list[str]()
    for step in range(HISTORY_S // HISTORY_STEP_S):
        at = now - HISTORY_S + step * HISTORY_STEP_S
        busy = 1 + math.sin((at % 86_400) / 86_400 * 2 * math.pi - math.pi / 2)
        total += round(busy * 40 + chance.random() * 5)
        depth = max(0.0, depth + chance.gauss(0, 2))
        stamp = int(at * 1000)
        lines.append(f'shop_orders_total{{store="web"}} {total:.0f} {stamp}')
        lines.append(f'shop_queue_depth{{queue="orders"}} {depth:.0f} {stamp}')
        lines.append(f'shop_response_seconds{{page="home"}} {0.05 + busy * 0.03 + chance.random() * 0.02:.3f} {stamp}')
        if len(lines) >= 900:  # noqa: PLR2004 - a body of a size that clients send
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def send_history(api: Api) -> None:
    for body in history(time.time()):
        api.send("/api/v1/import/prometheus", body, kind="text/plain")
