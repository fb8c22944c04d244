"""What recurs: writing down when agents were heard of, looking out for silent ones, tidying."""

from atalaia.agents.service import AgentsService
from atalaia.agents.service.silence import PERIOD_S
from atalaia.sdk.contribution import Loop

WRITE_DOWN_PERIOD_S = 5.0
TIDY_PERIOD_S = 900.0


def loops(agents: AgentsService) -> tuple[Loop, ...]:
    return (
        Loop("agents.seen", WRITE_DOWN_PERIOD_S, agents.seen.write_down, leader_only=False),
        Loop("agents.silence", PERIOD_S, agents.look_out.look),
        Loop("agents.tidy", TIDY_PERIOD_S, agents.tidy),
    )
