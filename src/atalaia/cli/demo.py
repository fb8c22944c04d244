"""`atalaia demo`: everything at once, for a look around; nothing is left behind."""

import itertools
import secrets
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from atalaia.cli.processes import Children, make_key, make_person
from atalaia_simulators.charging import NIGHT_S, RESIDENT_EMAIL, Night, Third, start_charging, tell_texts
from atalaia_simulators.charging import settings_for as charging_settings
from atalaia_simulators.cvepro.residents import tag_of
from atalaia_simulators.fleet import ThirdParty, settings_for, start_jobs
from atalaia_simulators.furnishing import HEARTBEAT_S, Api, furnish, send_history
from atalaia_simulators.mail import Mailbox
from atalaia_simulators.sink import Sink
from atalaia_simulators.site import Site
from atalaia_simulators.trading import SIGNAL, Exchange, start_trading

app = typer.Typer()
PEOPLE = "demo@example.org"
AGENTS = {
    "São Paulo": ("sao-paulo", "sp-1", "BR"),
    "Virginia": ("virginia", "va-1", "US"),
    "Frankfurt": ("frankfurt", "fra-1", "DE"),
}
# Every fifth run of the heartbeat fails to come, so that there is something to see.
MISSED_BEAT = 5


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(help="The port of the hub.", envvar="ATALAIA_PORT", min=1, max=65535)] = 8400,
    password: Annotated[str | None, typer.Option(help="The demo account's password; by default a new one.")] = None,
) -> int:
    """Run a hub with agents and all its third parties simulated: a site, a fleet platform, an exchange, chargers; until Ctrl-C.

    Example: atalaia demo --port 8410
    """
    chosen = password or secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(prefix="atalaia-demo-") as made:
        folder = Path(made)
        with (folder / "log").open("w", encoding="utf-8") as log:
            return _run(folder, port=port, password=chosen, log=log)


def _run(folder: Path, *, port: int, password: str, log: IO[str]) -> int:
    site, sink, third = Site(), Sink(_tell), Third()
    site.start()
    sink.start()
    third.start()
    try:
        with Children() as children:
            _say("Starting the hub …")
            fleet = ThirdParty(f"http://127.0.0.1:{_free_port()}")
            exchange = Exchange(f"http://127.0.0.1:{_free_port()}")
            env = {
                "ATALAIA_ALLOW_PRIVATE_TARGETS": "1",
                "ATALAIA_BINANCE_BASE_URL": exchange.url,
                **settings_for(fleet),
                **charging_settings(third),
            }
            url = children.start_hub(folder / "hub", port=port, env=env, log=log, tell=_quiet)
            make_person(folder / "hub", PEOPLE, role="ADMIN", password=password)
            beat = _furnish(children, folder, url=url, site=site, sink=sink, log=log)
            _act(children, folder, url=url, fleet=fleet, log=log)
            _trade(children, folder, url=url, exchange=exchange, log=log)
            account = make_person(folder / "hub", RESIDENT_EMAIL, role="CLIENT", password=password)
            with _charge(children, folder, url=url, third=third, account=account, log=log) as night:
                _introduce(url, password, site=site, fleet=fleet, night=night)
                return children.wait(also=beat)
    finally:
        third.close()
        sink.close()
        site.close()


def _furnish(children: Children, folder: Path, *, url: str, site: Site, sink: Sink, log: IO[str]) -> Callable[[], None]:
    key = make_key(folder / "hub", "demo-agents", "agent")
    for name, (location, datacenter, country) in AGENTS.items():
        where = ["--location", location, "--datacenter", datacenter, "--country", country]
        options = [
            "--hub",
            url,
            "--name",
            name,
            "--spool",
            str(folder / location),
            "--ping",
            "--ping-interval-s",
            "2",
            *where,
        ]
        children.start_agent(*options, env={"ATALAIA_KEY": key, "ATALAIA_PING_TARGET": "hub"}, log=log)
    api = Api(url, make_key(folder / "hub", "demo", "read", "write", "ingest"))
    agents = api.await_agents(len(AGENTS))
    ping_url = furnish(api, site=site, sink_url=sink.url, sink_secret=secrets.token_urlsafe(16), agent_ids=agents)
    threading.Thread(target=send_history, args=(api,), name="history", daemon=True).start()
    return _heartbeat(api, ping_url)


def _act(children: Children, folder: Path, *, url: str, fleet: ThirdParty, log: IO[str]) -> None:
    """The fleet platform, a worker, and jobs of which one goes well, one is refused and one ends nobody knows how."""
    children.start_simulator("traffilog", port=fleet.port, log=log)
    key = make_key(folder / "hub", "demo-worker", "jobs:work")
    children.start_worker("--hub", url, "--name", "worker-1", env={"ATALAIA_KEY": key}, log=log)
    app = Api(url, make_key(folder / "hub", "demo-app", "read", "jobs:create"))
    threading.Thread(target=start_jobs, args=(app, fleet), name="jobs", daemon=True).start()


def _trade(children: Children, folder: Path, *, url: str, exchange: Exchange, log: IO[str]) -> None:
    """The exchange, operations with prices that go to target and stop, and a signaller."""
    children.start_simulator("binance", port=exchange.port, log=log)
    app = Api(url, make_key(folder / "hub", "demo-trader", "write", "trading"))
    threading.Thread(target=start_trading, args=(app, exchange), name="trading", daemon=True).start()
    key = make_key(folder / "hub", "demo-signaller", f"signal:{SIGNAL}")
    children.start_agent("--signal-url", f"{url}/api/signals/{SIGNAL}", env={"ATALAIA_SIGNAL_KEY": key}, log=log)


@contextmanager
def _charge(children: Children, folder: Path, *, url: str, third: Third, account: str, log: IO[str]) -> Iterator[Night]:
    """What is known of the chargers, one that connects straight, and a mailbox; the night waits to be asked for."""
    own = ["--url", url, "--id", "PORTARIA-1", "--tag", tag_of(1), "--scale", "30"]
    children.start_simulator("chargepoint", *own, log=log)
    mail, is_over = Mailbox(_tell_mail), threading.Event()
    night = Night(third, _say_now)
    app = Api(url, make_key(folder / "hub", "demo-charging", "write", "jobs:create"))
    about = {"mail_port": mail.port, "account": account}
    threading.Thread(target=start_charging, args=(app,), kwargs=about, name="charging", daemon=True).start()
    threading.Thread(target=tell_texts, args=(third, _tell_text, is_over), name="texts", daemon=True).start()
    mail.start()
    night.start()
    try:
        yield night
    finally:
        is_over.set()
        night.close()
        mail.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _heartbeat(api: Api, ping_url: str) -> Callable[[], None]:
    """A job that reports in, and now and then does not."""
    runs = itertools.count(1)
    due = [time.monotonic()]

    def beat() -> None:
        if time.monotonic() < due[0]:
            return
        due[0] += HEARTBEAT_S
        if next(runs) % MISSED_BEAT:
            api.ping(ping_url)

    return beat


def _introduce(url: str, password: str, *, site: Site, fleet: ThirdParty, night: Night) -> None:
    _say(f"""
Atalaia's demo is running.

  Open      {url}
  E-mail    {PEOPLE}
  Password  {password}

A site at {site.url} breaks and heals by script; three agents watch it. Messages that the hub sends
are shown here as they come.

  Jobs      {url}/jobs                           one went well, one was refused, one nobody knows
  Start     {url}/jobs/new?type=scheme_builder   and watch its steps live
  A fault   curl {fleet.url}/_sim/faults -d '{{"wrong_type_403": true, "only_actions": ["get_vehicle_info"]}}'
  Others    answer_late, review_404, silent_unit, cut_before_execute, token_expired: curl {fleet.url}/_sim/faults
  None      curl {fleet.url}/_sim/faults -d '{{}}'

  Auto-close  {url}/binance   operations on a simulated exchange: one reaches its target within a minute

  Charging    {url}/cvepro    20 chargers of a condominium, and one that connects straight
  A resident  {RESIDENT_EMAIL}, with the same password, sees own sessions alone
  The night   curl -X POST {night.url}   the cloud's login answers 502 for {NIGHT_S:g} s: ten minutes at ten times the speed

Ctrl-C ends everything; nothing is left behind.
""")


def _tell(message: dict[str, Any]) -> None:
    incident = message.get("incident") or {}
    title = incident.get("title") or (message.get("check") or {}).get("name") or ""
    _say(f"{time.strftime('%H:%M:%S')}  message: {message.get('event')}  {title}")


def _tell_text(message: dict[str, Any]) -> None:
    _say_now(f"WhatsApp to {message.get('number')}: {_first_line(str(message.get('text')))}")


def _tell_mail(mail: EmailMessage) -> None:
    _say_now(f"e-mail to {mail['To']}: {mail['Subject']}")


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _say_now(text: str) -> None:
    _say(f"{time.strftime('%H:%M:%S')}  {text}")


def _quiet(_line: str) -> None:
    return


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
