"""What the search finds here."""

from collections.abc import Awaitable, Callable, Sequence

from atalaia.core.translations import N_
from atalaia.sdk.contribution import Found
from atalaia.watch.model.values import CheckFilter, IncidentFilter
from atalaia.watch.service.watch import WatchService

Find = Callable[[str, int], Awaitable[Sequence[Found]]]


def find_checks(watch: WatchService) -> Find:
    """By a part of the name; where the text is `name=value`, by label."""

    async def find(text: str, limit: int) -> Sequence[Found]:
        name, is_label, value = text.partition("=")
        wanted = CheckFilter(label=(name, value)) if is_label else CheckFilter(text=text)
        found, _ = await watch.checks_worst_first(wanted, limit=limit)
        return [
            Found(N_("Check"), check.spec.name, f"/checks/{check.id}", check.spec.target, str(check.state))
            for check in found
        ]

    return find


def find_incidents(watch: WatchService) -> Find:
    """By a part of the title, newest first."""

    async def find(text: str, limit: int) -> Sequence[Found]:
        found = await watch.incidents(IncidentFilter(text=text), limit=limit)
        return [
            Found(N_("Incident"), incident.title, f"/incidents/{incident.id}", incident.reason or "")
            for incident in found[:limit]
        ]

    return find
