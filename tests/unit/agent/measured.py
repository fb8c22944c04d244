from typing import Any

from atalaia_agent.measuring import measure
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.wire import parse_probe


def measured(
    kind: str,
    target: str = "",
    *,
    timeout_s: float = 5.0,
    secrets: dict[str, str] | None = None,
    context: Context | None = None,
    **options: Any,
) -> Outcome:
    """What a probe with these options finds now."""
    raw = {"id": "p", "kind": kind, "target": target, "interval_s": 60, "timeout_s": timeout_s}
    return measure(parse_probe({**raw, "options": options, "secrets": secrets or {}}), context or Context())
