"""`atalaia simulate NAME`: a third party on this machine, with its faults, to try an integration on."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from atalaia.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True)

Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one and says which.", min=0, max=65535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
PORT_HINT = "Another program has it; choose another with --port."


@app.callback()
def simulate() -> None:
    """Run a simulated third party. Faults: POST /_sim/faults; what it received: GET /_sim/log."""


@app.command()
def traffilog(
    *,
    port: Port = 9101,
    host: Host = "127.0.0.1",
    login_name: Annotated[str | None, typer.Option(help="The only name that may log in; by default any.")] = None,
    password: Annotated[str | None, typer.Option(help="Its password; by default any.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="A file that keeps tokens and executions over a restart.", dir_okay=False)
    ] = None,
    progress_step: Annotated[float | None, typer.Option(help="Per cent between two pushes.", min=0.1, max=100)] = None,
    progress_interval_s: Annotated[float | None, typer.Option(help="Seconds between two pushes.", min=0)] = None,
) -> int:
    """The fleet platform: login and WebSocket, both frame forms, strict types.

    Example: atalaia simulate traffilog --port 9101
    Example: atalaia simulate traffilog --port 0 --state /tmp/traffilog.jsonl
    """
    from atalaia_simulators.traffilog import Options, serve  # loaded for this command alone

    options = Options(
        login_name=login_name,
        password=password,
        state=state,
        progress_step=progress_step,
        progress_interval_s=progress_interval_s,
    )
    _run(serve(options, host=host, port=port, tell=_introduce), host=host, port=port)
    return 0


@app.command()
def binance(
    *,
    port: Port = 9102,
    host: Host = "127.0.0.1",
    fills: Annotated[int, typer.Option(help="In how many parts a market order is filled.", min=1, max=100)] = 1,
    slip_ticks: Annotated[int, typer.Option(help="How many ticks worse each part is than the one before.", min=0)] = 0,
    weight_limit: Annotated[int, typer.Option(help="Request weight of an address in a minute.", min=1)] = 2400,
) -> int:
    """The futures exchange: signed REST requests, hedge mode, fees, funding, weights and bans.

    Example: atalaia simulate binance --port 9102
    Example: atalaia simulate binance --port 0 --fills 3 --slip-ticks 1
    """
    from atalaia_simulators.binance import Options, serve  # loaded for this command alone

    options = Options(fills=fills, slip_ticks=slip_ticks, weight_limit=weight_limit)
    _run(serve(options, host=host, port=port, tell=_introduce_binance), host=host, port=port)
    return 0


@app.command()
def evolution(
    *,
    port: Port = 9104,
    host: Host = "127.0.0.1",
    api_key: Annotated[str, typer.Option(help="The key that requests have to carry.")] = "simulated-key",
    instance: Annotated[str, typer.Option(help="The name of its one instance.")] = "atalaia",
) -> int:
    """WhatsApp by the Evolution API: text messages and the state of the connection.

    Example: atalaia simulate evolution --port 9104
    Example: atalaia simulate evolution --port 0 --instance ops
    """
    from atalaia_simulators.evolution import Options, serve  # loaded for this command alone

    def introduce(url: str) -> None:
        sys.stdout.write(
            f"evolution simulator: {url}\n"
            f"  api key    {api_key}\n"
            f"  instance   {instance}\n"
            f"  messages   {url}/_sim/messages\n"
            f"  faults     POST {url}/_sim/faults\n"
        )
        sys.stdout.flush()

    _run(serve(Options(api_key=api_key, instance=instance), host=host, port=port, tell=introduce), host=host, port=port)
    return 0


@app.command()
def cvepro(
    *,
    port: Port = 9103,
    host: Host = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Another number is another day's traffic.")] = 7,
    chargers: Annotated[int, typer.Option(help="How many chargers there are.", min=1, max=500)] = 20,
    history_days: Annotated[int, typer.Option(help="So many days of a big past before today.", min=0, max=3650)] = 0,
    history_sessions: Annotated[int, typer.Option(help="How many sessions there are in it.", min=0)] = 100_000,
) -> int:
    """The cloud of the chargers' vendor: login, chargers, transactions, tags, live connection; a day's traffic by the clock.

    Example: atalaia simulate cvepro --port 9103
    Example: atalaia simulate cvepro --port 0 --seed 42
    Example: atalaia simulate cvepro --history-days 365 --history-sessions 100000
    """
    from atalaia_simulators.cvepro import Options, serve  # loaded for this command alone

    history = {"days": history_days, "sessions": history_sessions, "seed": seed} if history_days else None
    options = Options(seed=seed, chargers=chargers, history=history)
    _run(serve(options, host=host, port=port, tell=_introduce_cvepro), host=host, port=port)
    return 0


@app.command()
def chargepoint(
    *,
    url: Annotated[
        str, typer.Option(help="The hub's address, as https://watch.example.org.")
    ] = "http://127.0.0.1:8400",
    id: Annotated[str, typer.Option(help="Its charge box identity.")] = "SIM-001",
    password: Annotated[str | None, typer.Option(help="Its password, where the hub has given it one.")] = None,
    tag: Annotated[str, typer.Option(help="The RFID tag of whoever charges there.")] = "04A21B3C",
    power_kw: Annotated[float, typer.Option(help="What it gives while it charges.", min=0.1)] = 7.4,
    need_kwh: Annotated[float, typer.Option(help="What each car takes until it is full.", min=0.1)] = 12.0,
    pause_s: Annotated[float, typer.Option(help="Simulated seconds between two cars.", min=0)] = 1800.0,
    scale: Annotated[float, typer.Option(help="Simulated seconds that go by in one.", min=0.1)] = 60.0,
) -> int:
    """A charger that connects straight to a hub (OCPP 1.6-J): it plugs in, charges, fills, unplugs, and obeys.

    Example: atalaia simulate chargepoint --url http://127.0.0.1:8400 --id SIM-001
    Example: atalaia simulate chargepoint --url wss://watch.example.org --id SIM-001 --password 5f0c… --scale 1
    """
    from atalaia_simulators.chargepoint import Options, serve  # loaded for this command alone

    options = Options(
        url=url,
        box_id=id,
        password=password,
        tag=tag,
        power_w=power_kw * 1000,
        need_wh=need_kwh * 1000,
        pause_s=pause_s,
        scale=scale,
    )
    asyncio.run(_until_signal(serve(options, tell=_say)))
    return 0


def _run(serving: Coroutine[None, None, None], *, host: str, port: int) -> None:
    """Raises: ConfigError: the port is taken."""
    try:
        asyncio.run(_until_signal(serving))
    except OSError as error:
        raise ConfigError("can't listen on {host}:{port}", host=host, port=port, hint=PORT_HINT) from error


async def _until_signal(running: Coroutine[None, None, None]) -> None:
    task = asyncio.ensure_future(running)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _introduce(url: str) -> None:
    address = url.partition("://")[2]
    sys.stdout.write(
        f"traffilog simulator: {url}\n"
        f"  login      {url}/appengine_3/<APP_GUID>/1/json\n"
        f"  WebSocket  ws://{address}\n"
        f"  faults     POST {url}/_sim/faults\n"
    )
    sys.stdout.flush()


def _introduce_binance(url: str) -> None:
    sys.stdout.write(
        f"binance simulator: {url}\n"
        f"  account    api_key simulated-key, api_secret simulated-secret\n"
        f"  positions  POST {url}/_sim/positions\n"
        f"  prices     POST {url}/_sim/prices\n"
        f"  book       {url}/_sim/book\n"
        f"  faults     POST {url}/_sim/faults\n"
    )
    sys.stdout.flush()


def _introduce_cvepro(url: str) -> None:
    sys.stdout.write(
        f"cvepro simulator: {url}\n"
        f"  login      {url}/api/v1/login (any key, e-mail and password)\n"
        f"  chargers   {url}/api/v1/chargepoints\n"
        f"  live       ws{url.removeprefix('http')}/api/v1/live, /topic/chargepoints\n"
        f"  log        {url}/_sim/log\n"
        f"  faults     POST {url}/_sim/faults\n"
    )
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
