"""What recurs for signals."""

from collections.abc import Sequence

from atalaia.sdk.contribution import Loop
from atalaia.signals.service import SignalsService
from atalaia.signals.service.counting import PERIOD_S as FLUSH_PERIOD_S

SCHEDULES_PERIOD_S = 1.0
REAP_PERIOD_S = 2.0
JUDGE_PERIOD_S = 15.0
CLEAR_PERIOD_S = 300.0


def signal_loops(signals: SignalsService) -> Sequence[Loop]:
    return (
        Loop("signals.schedules", SCHEDULES_PERIOD_S, signals.scheduling.round),
        Loop("signals.reap", REAP_PERIOD_S, signals.ends.reap),
        Loop("signals.count", FLUSH_PERIOD_S, signals.counting.flush, leader_only=False),
        Loop("signals.judge", JUDGE_PERIOD_S, signals.judging.judge),
        Loop("signals.look", JUDGE_PERIOD_S, signals.judging.look, leader_only=False),
        Loop("signals.clear_away", CLEAR_PERIOD_S, signals.clear_away),
    )
