"""The audit log speaks in words: every action that the code can write has them.

It showed `cvepro.resident_opted_out` to people. Here the actions are collected from the calls that write them; where one is
put together, `_MADE` says of what.
"""

import ast
import functools
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from atalaia.access.audit_words import AUDIT_WORDS as ACCESS
from atalaia.agents.audit_words import AUDIT_WORDS as AGENTS
from atalaia.app.snapshots.audit_words import AUDIT_WORDS as SNAPSHOTS
from atalaia.captures.audit_words import AUDIT_WORDS as CAPTURES
from atalaia.home.audit_words import AUDIT_WORDS as HOME
from atalaia.integrations import find_integrations
from atalaia.integrations.cvepro.model.stations import Admission
from atalaia.jobs.audit_words import AUDIT_WORDS as JOBS
from atalaia.notify.audit_words import AUDIT_WORDS as NOTIFY
from atalaia.signals.audit_words import AUDIT_WORDS as SIGNALS
from atalaia.upstreams.audit_words import AUDIT_WORDS as UPSTREAMS
from atalaia.watch.audit_words import AUDIT_WORDS as WATCH

SOURCE = Path(__file__).resolve().parents[2] / "src" / "atalaia"
SLICES = (ACCESS, AGENTS, CAPTURES, HOME, JOBS, NOTIFY, SIGNALS, SNAPSHOTS, UPSTREAMS, WATCH)
# The functions that write an entry, or hand one on, by file; and where among the arguments after `self` the action stands.
_WRITERS = {"record", "audit", "_record", "_audit", "_record_incident", "_note", "_changed", "_audit_choice"}
# What stands before the words that a file's calls give.
_BEFORE = {
    "integrations/cvepro/service/notices.py": {"_audit": "cvepro.notice_", "_audit_choice": "cvepro.resident_"},
    "integrations/cvepro/service/residents.py": {"_audit": "cvepro."},
    "integrations/cvepro/service/plan.py": {"_changed": "cvepro.plan_"},
    "integrations/binance/operations.py": {"_tell": "binance.operation_"},
}
# Put together at run time: every way that it can come out.
_MADE = {
    "cvepro.resident_{}": {"cvepro.resident_activated", "cvepro.resident_deactivated"},
    "cvepro.station_{}": {f"cvepro.station_{each}" for each in Admission if each is not Admission.PENDING},
    "cvepro.import_{}": {"cvepro.import_resumed", "cvepro.import_stopped"},
    "cvepro.notice_{}": set(),  # of the calls of _audit
    "cvepro.plan_{}": set(),  # of the calls of _changed
    "cvepro.{}": set(),  # of the calls of _audit
    "binance.operation_{}": {f"binance.operation_{kind}" for kind in ("changed", "started", "stopped")},
}


def _words() -> dict[str, str]:
    of_integrations = (each.integration.manifest.audit_words for each in find_integrations() if each.integration)
    return dict(chain.from_iterable(words.items() for words in (*SLICES, *of_integrations)))


def _literals(node: ast.expr | None) -> Iterator[str]:
    """What an expression can be: a text, either of two, or a text with a hole `{}` in it."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from chain(_literals(node.body), _literals(node.orelse))
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@functools.cache
def _written() -> frozenset[str]:
    found: set[str] = set()
    for path in sorted(SOURCE.rglob("*.py")):
        file, tree = path.relative_to(SOURCE).as_posix(), ast.parse(path.read_bytes())
        before = _BEFORE.get(file, {})
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "action" for target in node.targets):
                found.update(text for text in _literals(node.value) if "." in text)
            if not isinstance(node, ast.Call) or _name(node) not in _WRITERS | before.keys():
                continue
            given = chain(node.args, (keyword.value for keyword in node.keywords if keyword.arg == "action"))
            first = next((text for argument in given for text in [list(_literals(argument))] if text), [])
            prefix = before.get(_name(node), "")
            found.update(text if "." in text else prefix + text for text in first if prefix or "." in text)
    return frozenset(found)


def test_every_action_has_its_words() -> None:
    written = set[str]()
    for action in _written():
        if "{}" in action:
            assert action in _MADE, f"{action} is put together: say in _MADE how it can come out"
            written |= _MADE[action]
        else:
            written.add(action)
    assert len(written) > 80
    assert written - _words().keys() == set()


def test_no_words_are_kept_for_what_nothing_writes() -> None:
    made = set[str]().union(*_MADE.values())
    assert _words().keys() - {each for each in _written() if "{}" not in each} - made == set()
