"""What commands share that speak to a hub over HTTP: its address, an API key, and calls whose refusals are told in words."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from atalaia.core.errors import AtalaiaError, ConfigError
from atalaia.core.redaction import Secret
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient

HubUrl = Annotated[
    str, typer.Option("--hub", envvar="ATALAIA_HUB", help="The hub's address, as https://watch.example.org.")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", envvar="ATALAIA_KEY", help="An API key; better in the environment or in a file.", show_envvar=True
    ),
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", envvar="ATALAIA_KEY_FILE", help="A file that holds the API key.")
]


def read_key(key: str | None, key_file: Path | None) -> Secret:
    """Raises: ConfigError: there is none, or its file can't be read."""
    if key_file is not None:
        try:
            key = key_file.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"can't read {key_file}: {error.strerror}") from error
    if not key or not key.strip():
        raise ConfigError("this needs an API key", hint="Give it by ATALAIA_KEY, or in a file by --key-file.")
    return Secret(key.strip())


class HubRefused(AtalaiaError):
    """The hub said no; its own words and hint."""

    code = "hub_refused"


class HubCalls:
    """JSON calls of one key. Lives in one event loop, from its first call to `aclose`."""

    def __init__(self, url: str, key: Secret) -> None:
        self._url = url.rstrip("/")
        self._http = HttpClient(Guard(allow_private=True))
        self._headers = {"Authorization": f"Bearer {key.reveal()}", "Content-Type": "application/json"}

    async def get(self, path: str) -> Any:
        return await self._call("GET", path, None)

    async def post(self, path: str, body: bytes = b"{}") -> Any:
        return await self._call("POST", path, body)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, body: bytes | None) -> Any:
        """Raises: HubRefused, TemporaryFailure: it can't be reached."""
        answer = await self._http.request(
            method, self._url + path, headers=self._headers, body=body, trust=Trust.CONFIGURED
        )
        value = msgspec.json.decode(answer.body) if answer.body[:1] in (b"{", b"[") else None
        if answer.is_success:
            return value
        error = value.get("error", {}) if isinstance(value, dict) else {}
        raise HubRefused(
            "{status}: {words}",
            hint=error.get("hint") or None,
            status=answer.status,
            words=error.get("message", "what answers there is not Atalaia"),
        )
