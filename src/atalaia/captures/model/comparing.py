"""Two recordings held against each other, action by action: by token and type, as a frame is against its template."""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from atalaia.captures.model.recordings import Frame
from atalaia.captures.model.templates import learn_action, sent_by_action
from atalaia.sdk.fidelity import Departure, nearest

Standing = Literal["same", "differs", "only_in_a", "only_in_b"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which frames of B depart from those of A; `frames` are their numbers in B."""

    departure: Departure
    text: str  # `parameters.call_num: captured string "0", would send number 0`
    frames: list[int]


class ActionDifference(msgspec.Struct, frozen=True, kw_only=True):
    action: str
    standing: Standing
    frames_a: int
    frames_b: int
    differences: list[Difference]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`actions` in the order of A, then what is only in B; the ones that differ are told by `standing`."""

    actions: list[ActionDifference]

    @property
    def is_same(self) -> bool:
        return all(each.standing == "same" for each in self.actions)


def compare(a: Sequence[Frame], b: Sequence[Frame], *, variables: Collection[str] = ()) -> Comparison:
    """`variables` are names of keys whose values may differ; their types may not."""
    of_a, of_b = sent_by_action(a), sent_by_action(b)
    found = [_compare_action(action, of_a.get(action, []), of_b.get(action, []), variables) for action in of_a]
    return Comparison(
        actions=found + [_only("only_in_b", action, 0, len(of_b[action])) for action in of_b if action not in of_a]
    )


def _compare_action(
    action: str, a: Sequence[Frame], b: Sequence[Frame], variables: Collection[str]
) -> ActionDifference:
    if not b:
        return _only("only_in_a", action, len(a), 0)
    templates = learn_action(a, variables=variables, earlier=())
    numbers: dict[str, list[int]] = {}
    first: dict[str, Departure] = {}
    for frame in b:
        held = nearest(templates, frame.text)
        for departure in held[1] if held else ():
            text = str(departure)
            first.setdefault(text, departure)
            numbers.setdefault(text, []).append(frame.n)
    differences = [Difference(departure=first[text], text=text, frames=numbers[text]) for text in first]
    standing: Standing = "differs" if differences else "same"
    return ActionDifference(action=action, standing=standing, frames_a=len(a), frames_b=len(b), differences=differences)


def _only(standing: Standing, action: str, frames_a: int, frames_b: int) -> ActionDifference:
    return ActionDifference(action=action, standing=standing, frames_a=frames_a, frames_b=frames_b, differences=[])
