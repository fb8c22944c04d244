"""Which job types this installation can run, and the upstreams that they call."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from atalaia.core.errors import ConfigError
from atalaia.integrations import Loaded, find_integrations
from atalaia.sdk.jobs import JobType
from atalaia.sdk.upstreams import UpstreamDeclaration

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    types: Sequence[JobType]
    upstreams: Sequence[UpstreamDeclaration]


def find_known(wanted: Sequence[str] = (), *, found: Sequence[Loaded] | None = None) -> Known:
    """The types that workers run, or of these only the `wanted` ones.

    Raises:
        ConfigError: a wanted type is not there, or there is none at all.
    """
    types: dict[str, JobType] = {}
    upstreams: list[UpstreamDeclaration] = []
    for loaded in find_integrations() if found is None else found:
        if loaded.integration is None:
            log.error("integration_failed", integration=loaded.name, phase="load", reason=loaded.trouble)
            continue
        types |= {each.name: each for each in loaded.integration.job_types if each.runs_on == "worker"}
        upstreams += loaded.integration.upstreams
    lacking = [name for name in wanted if name not in types]
    if lacking:
        raise ConfigError(
            f"there is no job type {lacking[0]} that a worker runs",
            hint=f"There are: {', '.join(sorted(types)) or 'none'}.",
        )
    if not types:
        raise ConfigError("no integration that is installed here has jobs for a worker")
    return Known([each for name, each in types.items() if not wanted or name in wanted], upstreams)
