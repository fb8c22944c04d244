"""Leases are kept by what was said of them, not of another lease of the same job."""

import asyncio
from concurrent.futures import Future

from atalaia.sdk.jobs import StepRecord
from atalaia.worker.held import End
from atalaia.worker.hub import Renewal, Renewals, Renewed
from atalaia.worker.keeper import Keeper

PATIENCE_S = 60


class SlowHub:
    """Its first answer waits for `may_answer`; it knows the token `new` alone."""

    def __init__(self) -> None:
        self.asked: Future[None] = Future()
        self.may_answer: Future[None] = Future()
        self.heard: Future[list[str]] = Future()

    async def renew(self, items: list[Renewal], *, within_s: float) -> Renewals:  # noqa: ARG002 - as HubApi
        if not self.asked.done():
            self.asked.set_result(None)
            await asyncio.wrap_future(self.may_answer)
        for item in items:
            if item.token == "new" and item.steps and not self.heard.done():
                self.heard.set_result([step.name for step in item.steps])
        return Renewals([Renewed(item.id, "ok" if item.token == "new" else "lost", 30_000) for item in items])

    async def aclose(self) -> None:
        return


def test_a_late_answer_about_a_former_lease_does_not_end_the_new_one() -> None:
    """Its work was broken off, and its steps were taken for told."""
    ends: list[tuple[str, End]] = []
    hub = SlowHub()

    async def run() -> list[str]:
        keeper = Keeper(
            lambda: hub,  # type: ignore[arg-type, return-value]
            on_end=lambda id_, end: ends.append((id_, end)),
            on_word=lambda _word: None,
            on_refused=lambda _error: None,
        )
        keeper.start()
        try:
            keeper.add("j1", "old", ttl_s=30)
            keeper.note("j1", StepRecord(1, "before", "done"))
            await asyncio.wait_for(asyncio.wrap_future(hub.asked), PATIENCE_S)
            keeper.drop("j1")
            keeper.add("j1", "new", ttl_s=30)
            keeper.note("j1", StepRecord(1, "after", "started"))
            await keeper.take_steps("another")  # all of this has reached the keeper's thread
            hub.may_answer.set_result(None)
            return await asyncio.wait_for(asyncio.wrap_future(hub.heard), PATIENCE_S)
        finally:
            await keeper.stop()

    assert asyncio.run(run()) == ["after"]
    assert ends == []
