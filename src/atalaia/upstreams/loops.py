"""The slice's loops."""

from collections.abc import Sequence

from atalaia.sdk.contribution import Loop
from atalaia.upstreams.service.breakers import BreakerBook
from atalaia.upstreams.service.recording import Recorder
from atalaia.upstreams.service.upkeep import Upkeep

RECORD_S = 1.0
BREAKERS_S = 1.0
RENEW_S = 30.0
LOOK_S = 15.0
CLEAR_S = 600.0


def upstream_loops(recorder: Recorder, book: BreakerBook, upkeep: Upkeep) -> Sequence[Loop]:
    return (
        Loop("upstreams.records", RECORD_S, recorder.flush, leader_only=False, wake=recorder.wake),
        Loop("upstreams.breakers", BREAKERS_S, book.refresh, leader_only=False),
        Loop("upstreams.expiries", LOOK_S, upkeep.look, leader_only=False),
        Loop("upstreams.tokens", RENEW_S, upkeep.renew),
        Loop("upstreams.clear_away", CLEAR_S, upkeep.clear_away),
    )
