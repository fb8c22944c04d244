"""Options that commands share which speak to a hub over HTTP: its address and an API key."""

from pathlib import Path
from typing import Annotated

import typer

from atalaia.core.errors import ConfigError
from atalaia.core.redaction import Secret

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
