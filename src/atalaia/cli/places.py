"""Options that several commands share: where the data is."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[Path, typer.Option(envvar="ATALAIA_DATA_DIR", help="The data directory.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="ATALAIA_DATABASE_URL", help="A PostgreSQL database (postgresql://…) in place of the embedded store."
    ),
]
