"""Which revisions are the newest, read from the migration files themselves.

Nearly every start and command finds the database of its version already: to see that, neither Alembic need be loaded
(0.1 s) nor each file be run. What can't be read in this way is left to Alembic.
"""

import re
from collections.abc import Sequence
from pathlib import Path

_LINE = re.compile(r'^(revision|down_revision)\b[^=\n]*= *(?:None|"([^"\n]+)") *$', re.MULTILINE)


def heads(locations: Sequence[Path]) -> frozenset[str] | None:
    """Those that no other follows; None where a file says it in another way."""
    named: set[str] = set()
    followed: set[str] = set()
    for file in (file for location in locations for file in location.glob("*.py") if not file.name.startswith("_")):
        said = dict(_LINE.findall(file.read_text(encoding="utf-8")))
        if not said.get("revision") or "down_revision" not in said:
            return None
        named.add(said["revision"])
        followed.add(said["down_revision"])
    return frozenset(named - followed)
