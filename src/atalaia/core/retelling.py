"""English texts that were kept with their values filled in, told in another language after all.

What fails far below says so in one English sentence of the catalogue, and that is what logs, records and other systems keep. For
people it is recognised again, the sentence that says most itself first; what is no sentence of ours stays as it is.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

_FIELD: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
# A sentence that is nearly all values fits everything.
_LEAST_WORDS: Final = 8
_DEEPEST: Final = 3
_LONGEST: Final = 2000


class Retelling:
    """`texts`: msgid → text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def tell(self, text: str, *, depth: int = 0) -> str:
        """Values that are sentences of ours themselves are told too."""
        known = self._texts.get(text)
        if known is not None or depth > _DEEPEST or len(text) > _LONGEST:
            return known or text
        for msgid, pattern in self._patterns:
            found = pattern.fullmatch(text)
            if found:
                values = {name: self.tell(value, depth=depth + 1) for name, value in found.groupdict().items()}
                return self._texts[msgid].format_map(values)
        return text

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        said = {msgid: _FIELD.sub("", msgid) for msgid in self._texts if _FIELD.search(msgid)}
        wordy = [msgid for msgid, words in said.items() if len(words) >= _LEAST_WORDS and not set("{}") & set(words)]
        return [(msgid, _pattern(msgid)) for msgid in sorted(wordy, key=lambda each: -len(said[each]))]


def _pattern(msgid: str) -> re.Pattern[str]:
    parts, seen, at = [], set[str](), 0
    for field in _FIELD.finditer(msgid):
        name = field[1]
        parts += [re.escape(msgid[at : field.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        at = field.end()
    return re.compile("".join([*parts, re.escape(msgid[at:])]), re.DOTALL)
