"""`atalaia serve`: run the hub in this process."""

import socket
from asyncio import Protocol
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from atalaia.app.hub import Hub
from atalaia.app.memory import building
from atalaia.app.options import HubOptions
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.ports import port_holder
from atalaia.cli.slow_senders import PatientProtocol
from atalaia.core.errors import ConfigError

BACKLOG = 2048
STOP_TIMEOUT_S = 8
PING_S = 30.0  # a line that is cut is found within twice that
# A line on which nothing is asked. A page asks each 30 s, and a new line costs a third of what is answered on it; a proxy that
# keeps its own for longer (nginx: 60 s) may send a request on one that is being closed here.
KEPT_S = 75

app = typer.Typer()


class _Server(uvicorn.Server):
    """Says one line with its address once it can be asked."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._hub.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.release()
        await self._hub.close_sockets()
        await super().shutdown(sockets)


@app.command()
def serve(
    *,
    data_dir: DataDir = Path("data"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8400,
    database_url: DatabaseUrl = None,
    tls_cert: Annotated[Path | None, typer.Option(help="A certificate (PEM), to speak HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM).")] = None,
) -> int:
    """Run the hub until it is told to stop.

    Example: atalaia serve --data-dir /var/lib/atalaia --port 8400
    """
    options = HubOptions(data_dir, host, port, database_url, tls_cert, tls_key)
    listener = _listen(options)
    with building():
        hub = Hub(options)
    config = uvicorn.Config(
        hub.asgi,
        loop="uvloop",
        http=PatientProtocol,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        ws=_socket_protocol,  # type: ignore[arg-type] # the server asks for no more than a call
        ws_max_size=hub.sockets.max_message_bytes or BACKLOG,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # some 300 kB a connection, for messages of 200 bytes
        backlog=BACKLOG,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )
    server = _Server(config, hub)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _socket_protocol(*arguments: Any, **options: Any) -> Protocol:
    """Loaded with the first WebSocket: a hub that none is opened at is 3 MB smaller."""
    from atalaia.cli.websockets import SocketProtocol

    return SocketProtocol(*arguments, **options)


def _listen(options: HubOptions) -> socket.socket:
    """Bind first of all, so that a port in use is refused before anything is touched.

    Raises:
        ConfigError: the port is taken; the message names the process that has it.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        holder = port_holder(options.port)
        where = f"{options.host}:{options.port}"
        raise ConfigError(
            f"{where} is taken by {holder}" if holder else f"can't listen on {where}: {error.strerror}",
            code="port_in_use",
            hint="Stop that process, or choose another --port.",
        ) from error
    listener.set_inheritable(False)
    return listener
