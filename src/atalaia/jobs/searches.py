"""What the search finds here."""

from collections.abc import Awaitable, Callable, Sequence

from atalaia.core.translations import N_
from atalaia.jobs.model.views import JobFilter
from atalaia.jobs.service import JobsService
from atalaia.sdk.contribution import Found

Find = Callable[[str, int], Awaitable[Sequence[Found]]]


def find_jobs(jobs: JobsService) -> Find:
    """By a part of the id, a key or the payload; newest first."""

    async def find(text: str, limit: int) -> Sequence[Found]:
        lines, _ = await jobs.reading.jobs(JobFilter(text=text), limit=limit)
        return [Found(N_("Job"), line.type, f"/jobs/{line.id}", line.id, str(line.status)) for line in lines]

    return find
