"""Whether an answer is the expected one. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.http1 import Response
from atalaia_agent.probes.http_plan import HttpPlan

_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?\d+)\]|\[['\"]([^'\"]+)['\"]\]")


def check_answer(plan: HttpPlan, response: Response) -> None:
    """Raises ProbeError with the first thing that is not as expected."""
    _check_status(plan, response)
    for name, value in plan.expect_headers.items():
        _check_header(response, name, value)
    if plan.contains or plan.contains_not:
        _check_text(plan, response)
    if plan.expect_json:
        _check_json(plan, response)


def _check_status(plan: HttpPlan, response: Response) -> None:
    for low, high in plan.statuses:
        if low <= response.status <= high:
            return
    wanted = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in plan.statuses)
    said = f"{response.status} {response.reason}".strip()
    raise ProbeError("status_mismatch", f"answered {said}, expected {wanted}")


def _check_header(response: Response, name: str, value: str | None) -> None:
    actual = response.header(name)
    if actual is None:
        raise _unmet(f"header {name} is missing")
    if value is not None and value.lower() not in actual.lower():
        raise _unmet(f"header {name} is {actual[:100]!r}, expected {value!r}")


def _check_text(plan: HttpPlan, response: Response) -> None:
    text = _text(response)
    cut = f" (only the first {len(response.body)} bytes were read)" if response.is_truncated else ""
    for wanted in plan.contains:
        if wanted not in text:
            raise _unmet(f"the body does not contain {wanted!r}{cut}")
    for unwanted in plan.contains_not:
        if unwanted in text:
            raise _unmet(f"the body contains {unwanted!r}")


def _text(response: Response) -> str:
    charset = re.search(r"charset=\"?([\w.-]+)", response.header("content-type") or "")
    try:
        return response.body.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        return response.body.decode("utf-8", "replace")


def _check_json(plan: HttpPlan, response: Response) -> None:
    try:
        document = json.loads(response.body)
    except ValueError:
        raise _unmet("the body is not JSON") from None
    for path, wanted in plan.expect_json:
        actual = look_up(document, path)
        if not _is_same(actual, wanted):
            raise _unmet(f"{path} is {_short(actual)}, expected {_short(wanted)}")


def look_up(document: Any, path: str) -> Any:
    """The value at `$.a.b[0]["c d"]`, None where there is nothing. Raises BadOption for another kind of path."""
    steps = "." + path if path[:1] not in ("$", ".", "[") else path.removeprefix("$")
    position = 0
    value = document
    while position < len(steps):
        step = _STEP.match(steps, position)
        if step is None:
            raise BadOption("json_path", f"{path!r} is not a path such as $.a.b[0]")
        value = _child(value, step)
        position = step.end()
    return value


def _child(value: Any, step: re.Match[str]) -> Any:
    if step[2] is not None:
        index = int(step[2])
        return value[index] if isinstance(value, list) and -len(value) <= index < len(value) else None
    return value.get(step[1] or step[3]) if isinstance(value, dict) else None


def _is_same(actual: Any, wanted: Any) -> bool:
    """A form gives text: "200" is meant to be the number, "true" the truth."""
    if actual == wanted and isinstance(actual, bool) == isinstance(wanted, bool):
        return True
    return isinstance(wanted, str) and not isinstance(actual, str) and wanted == json.dumps(actual)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:100]


def _unmet(message: str) -> ProbeError:
    return ProbeError("assertion_failed", message)
