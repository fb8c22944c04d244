"""Charging in the demo: a condominium on a simulated cloud, its residents and tariff, and the night of the 502 at ten times the speed."""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import urlsplit

from atalaia_simulators import cvepro, evolution
from atalaia_simulators.cvepro.residents import flat_of, resident_name, tags_of
from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY
from atalaia_simulators.furnishing import TIMEOUT_S, Api, Refused
from atalaia_simulators.quiet import QuietServer

RESIDENTS: Final = 36  # of forty: the others' tags are nobody's yet
RESIDENT_EMAIL: Final = "morador@example.org"
PHONE: Final = "+5511912345678"
HISTORY_DAYS: Final = 45
# Ten minutes of 502 in one; intervals and the alert's delay are as much shorter.
NIGHT_S: Final = 60
POLL_S, ALERT_AFTER_S = 3, 12
_LOOK_S: Final = 0.5
_BAND: Final = {"name": "Ponta", "days": [1, 2, 3, 4, 5], "from": "18:00", "until": "21:00", "price_micros": 1_490_000}
_TERMS: Final = {"price_micros": 950_000, "bands": [_BAND], "idle_fee_micros": 100_000, "idle_grace_min": 30}


class Third:
    """The chargers' cloud, and a phone on WhatsApp: there before the hub is."""

    def __init__(self) -> None:
        self.cloud = cvepro.InThread()
        self.phone = evolution.InThread()

    def start(self) -> None:
        self.cloud.start()
        self.phone.start()

    def close(self) -> None:
        self.phone.close()
        self.cloud.close()


def _ask(url: str, method: str, path: str, value: Any = None) -> Any:
    """Raises: OSError, Refused."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body=None if value is None else json.dumps(value))
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:  # noqa: PLR2004 - RFC 9110
        raise Refused(f"{path}: {answer.status} {said.decode(errors='replace')}")
    return json.loads(said)


def settings_for(third: Third) -> dict[str, str]:
    """A hub's environment."""
    charging = {
        "BASE_URL": third.cloud.url,
        "API_KEY": "of-the-demo-alone",
        "EMAIL": "sindico@example.org",
        "PASSWORD": "of the demo alone",
        "POLL_S": POLL_S,
        "ALERT_AFTER_S": ALERT_AFTER_S,
        "SESSIONS_EVERY_S": 2 * POLL_S,
        "TAGS_PATH": "tags",
        "ACTIVE_PATH": "transaction/active",
        "LIVE_URL": f"ws{third.cloud.url.removeprefix('http')}/api/v1/live",
        "OCPP_ADMISSION": "open",
        "CONDOMINIUM": "Condomínio das Palmeiras",
        "CONDOMINIUM_ADDRESS": "Rua das Palmeiras, 120, São Paulo, SP",
    }
    telling = {"BASE_URL": third.phone.url, "API_KEY": DEFAULT_KEY, "INSTANCE": DEFAULT_INSTANCE}
    given = {f"ATALAIA_CVEPRO_{name}": str(value) for name, value in charging.items()}
    return given | {f"ATALAIA_EVOLUTION_{name}": value for name, value in telling.items()}


def start_charging(app: Api, *, mail_port: int, account: str) -> None:
    """`app` may write and begin jobs. Whom to tell, a tariff, those who live there (`account`: of one), and what they charged."""
    try:
        _make_channels(app, mail_port=mail_port)
        first = (datetime.now(UTC) - timedelta(days=HISTORY_DAYS)).date().isoformat()
        app.post("/api/cvepro/tariffs", {"first_day": first, "terms": _TERMS})
        for number in range(1, RESIDENTS + 1):
            app.post("/api/cvepro/residents", _resident(number, account if number == 1 else ""))
        app.post("/api/cvepro/imports", {"from": first})
    except (OSError, Refused):  # the demo is being ended
        return


def _make_channels(app: Api, *, mail_port: int) -> None:
    """For what charging has to say alone: the site that breaks by script would be too much for a phone."""
    mail = {"recipients": ["sindico@example.org"], "sender": "atalaia@example.org", "host": "127.0.0.1"}
    for channel in (
        {"name": "WhatsApp", "kind": "whatsapp", "locale": "pt-BR", "fields": {"numbers": [PHONE]}},
        {"name": "E-mail", "kind": "email", "locale": "pt-BR", **mail, "port": mail_port, "security": "none"},
    ):
        made = app.post("/api/channels", channel)
        app.post("/api/routes", {"channel": made["id"], "match": {"integration": "cvepro"}, "group_wait_s": 0})


def _resident(number: int, account: str) -> dict[str, Any]:
    own = {"account": account, "phone": PHONE, "email": RESIDENT_EMAIL} if account else {}
    return {"name": resident_name(number), "flat": flat_of(number), "tags": list(tags_of(number)), **own}


def tell_texts(third: Third, tell: Callable[[dict[str, Any]], None], is_over: threading.Event) -> None:
    """Each message that went out by WhatsApp, as it goes."""
    told = 0
    while not is_over.wait(_LOOK_S):
        with contextlib.suppress(OSError, Refused):
            messages = _ask(third.phone.url, "GET", "/_sim/messages")
            for message in messages[told:]:
                tell(message)
            told = len(messages)


class Night:
    """The night of the 502, on demand: `POST /night` begins it, and it ends by itself."""

    def __init__(self, third: Third, tell: Callable[[str], None], *, lasts_s: float = NIGHT_S) -> None:
        self._third = third
        self._tell = tell
        self._lasts_s = lasts_s
        self._lock = threading.Lock()
        night = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                began = night.begin()
                words = f"The cloud's login answers 502 for {lasts_s:g} s.\n" if began else "It is going on.\n"
                self.send_response(202 if began else 409)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words.encode())

            def log_message(self, *_words: Any) -> None:
                return

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/night"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="night", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self) -> bool:
        """False: it is night already."""
        if not self._lock.acquire(blocking=False):
            return False
        threading.Thread(target=self._play, name="the night", daemon=True).start()
        return True

    def _play(self) -> None:
        try:
            _ask(self._third.cloud.url, "POST", "/_sim/faults", {"login_status": 502, "expire_token": True})
            self._tell(f"the cloud's login answers 502 for {self._lasts_s:g} s")
            time.sleep(self._lasts_s)
            _ask(self._third.cloud.url, "POST", "/_sim/faults", {"login_status": None})
            self._tell("the cloud lets us in again")
        except (OSError, Refused):  # the demo is being ended
            return
        finally:
            self._lock.release()
