"""The frames that go out: made in the captured form, and compared with it before they are sent.

Which form a deployment uses is what its capture says: the form is data. Until there is a capture the built-in samples hold
(`frames.json`: the observed form with `flow_id`, not percent-encoded), as version 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.sdk.fidelity.checking import departures
from atalaia.sdk.fidelity.rendering import FrameDeparts, render
from atalaia.sdk.fidelity.templates import Template, TemplateMismatch, reference
from atalaia.sdk.jobs import JobFailed

Value = str | int
SAMPLES: Final = Path(__file__).parent / "frames.json"
_FLOW_ID_DIGITS: Final = 6
_MTKN_DIGITS: Final = 6
_SHOWN_DEPARTURES: Final = 20


class _Sample(msgspec.Struct, frozen=True):
    action: str
    sample: str
    variables: dict[str, str]
    variant: str = ""


@cache
def built_in_templates() -> tuple[Template, ...]:
    samples = msgspec.json.decode(SAMPLES.read_bytes(), type=list[_Sample])
    return tuple(
        msgspec.structs.replace(Template.from_sample(one.sample, one.variables), variant=one.variant, version=0)
        for one in samples
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """`raw` goes on the wire; `shown` goes on the record."""

    action: str
    raw: str
    mtkn: str
    departures: Sequence[str]
    shown: Mapping[str, Any]

    def check(self) -> None:
        """Raises: JobFailed: it departs from its template."""
        if self.departures:
            raise JobFailed(
                N_("{action} departs from the captured payload: {departures}"),
                failure="payload_departs",
                action=self.action,
                departures="; ".join(self.departures[:_SHOWN_DEPARTURES]),
                hint=N_("It was not sent. Compare it with a new capture of the real page, and import that one."),
            )


class FrameMaker:
    """`templates` are those in force, one or several for an action; `digits(n)` gives n random decimal digits."""

    def __init__(
        self, templates: Mapping[str, Any], *, now_ms: Callable[[], int], digits: Callable[[int], str]
    ) -> None:
        self._templates = _by_action(templates)
        self._now_ms = now_ms
        self._digits = digits

    def make(self, action: str, parameters: Mapping[str, Value], *, token: Secret) -> Frame:
        """Raises: JobFailed: there is no template of that action."""
        template = self._choose(action, parameters)
        mtkn = f"{self._now_ms()}{self._digits(_MTKN_DIGITS)}"
        # A flow_id has no leading zero.
        flow_id = "6" + self._digits(_FLOW_ID_DIGITS - 1)
        makers: dict[str, Value] = {"mtkn": mtkn, "flow_id": flow_id, "session_token": token.reveal()}
        made = {slot.name: makers[slot.maker] for slot in template.slots if slot.maker is not None}
        values = made | {f"parameters.{name}": value for name, value in parameters.items()}
        raw, found = _held_against(template, values)
        shown = {
            "action": action,
            "frame": raw.replace(token.reveal(), "***"),
            "mtkn": mtkn,
            "template": {"action": template.action, "variant": template.variant, "version": template.version},
            "departures": list(found[:_SHOWN_DEPARTURES]),
        }
        return Frame(action, raw, mtkn, found, shown)

    def _choose(self, action: str, parameters: Mapping[str, Value]) -> Template:
        """Of the templates of an action the one whose parameters are the most alike."""
        candidates = self._templates.get(action)
        if not candidates:
            raise JobFailed(N_("There is no template of {action}."), failure="no_template", action=action)
        wanted = set(parameters)
        return min(candidates, key=lambda one: len(wanted ^ _parameters_of(one)))


def _held_against(template: Template, values: Mapping[str, Value]) -> tuple[str, list[str]]:
    """The frame as it would be sent (empty where the form has no place for a value), and how it departs."""
    try:
        raw = render(template, values)
    except FrameDeparts as error:
        return "", [str(one) for one in error.departures]
    except TemplateMismatch as error:
        return "", [str(error)]
    return raw, [str(one) for one in departures(template, raw)]


@lru_cache(maxsize=256)
def _parameters_of(template: Template) -> frozenset[str]:
    prefix = "parameters."
    names = (path.removeprefix(prefix) for path in reference(template).spans if path.startswith(prefix))
    return frozenset(names) - {"_action_name", "mtkn", "session_token"}


def _by_action(templates: Mapping[str, Any]) -> dict[str, list[Template]]:
    found: dict[str, list[Template]] = {}
    for template in msgspec.convert(list(templates.values()), list[Template]):
        found.setdefault(template.action, []).append(template)
    return found
