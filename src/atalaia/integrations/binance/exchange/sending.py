"""How a request goes out: past the gate, through the upstream's client, and what its answer says of the limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange import answers
from atalaia.integrations.binance.exchange.failures import ClockSkew, Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.judging import TOO_MANY_ORDERS, failure_of
from atalaia.integrations.binance.exchange.port import Gate
from atalaia.integrations.binance.exchange.weights import UsedWeight
from atalaia.sdk.failures import BadPayload, TemporaryFailure
from atalaia.sdk.upstreams import Answer, Upstream

T = TypeVar("T")
S = TypeVar("S")
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
# What an answer is made into, and handed on as it is.
_OWN: Final = (NotDone, OutcomeUnknown, Limited, Refused, ClockSkew, BadPayload)


@dataclass(frozen=True, slots=True)
class Address:
    """One of the exchange's hosts, with what is of this machine's address there, whichever account asks."""

    url: Callable[[], str]
    clock: Clock
    gate: Gate
    weights: UsedWeight

    def check_gate(self) -> None:
        """Raises: Limited."""
        until = self.gate.blocked_until()
        if until is None:
            return
        wait_s = max(0.0, (until - self.clock.now()) / timedelta(seconds=1))
        raise Limited(
            N_("The exchange asked to be left alone for {seconds} s more."),
            retry_after_s=wait_s,
            is_ban=self.gate.is_ban,
            seconds=max(1, round(wait_s)),
        )

    def judge(self, answer: Answer) -> None:
        """Raises: what the answer is, if no success."""
        self.weights.note(answer.headers)
        now = self.clock.now()
        failure = failure_of(answer, now=now)
        if isinstance(failure, Limited) and failure.exchange_code != TOO_MANY_ORDERS:
            self.gate.block(now + timedelta(seconds=failure.retry_after_s), is_ban=failure.is_ban)
        if failure is not None:
            raise failure


class Caller:
    """`upstream` is asked for at each call, so that making a Caller opens nothing. `note` sees every answer's headers."""

    def __init__(
        self,
        address: Address,
        upstream: Callable[[], Upstream],
        *,
        headers: Mapping[str, str] | None = None,
        note: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        self._address = address
        self._upstream = upstream
        self._headers = headers or {}
        self._note = note

    async def read(self, operation: str, path: str, query: str, *, shape: type[S], make: Callable[[S], T]) -> T:
        """Ask; a repeat does no harm, so nothing of it is ever unknown.

        Raises:
            NotDone, Limited, Refused, BadPayload, ClockSkew.
        """
        try:
            return await self._call(operation, "GET", f"{path}?{query}" if query else path, shape=shape, make=make)
        except OutcomeUnknown as error:
            raise _not_done(error, exchange_code=error.exchange_code) from error
        except _OWN:
            raise
        except AtalaiaError as error:
            raise _not_done(error) from error

    async def act(self, operation: str, path: str, form: str, *, shape: type[S], make: Callable[[S], T]) -> T:
        """Do, once.

        Raises:
            NotDone, Limited, Refused, ClockSkew: surely not done.
            OutcomeUnknown: it may have been.
        """
        try:
            return await self._call(operation, "POST", path, body=form.encode(), shape=shape, make=make)
        except BadPayload as error:
            raise _unknown(error) from error
        except _OWN:
            raise
        except TemporaryFailure as error:
            raise (_unknown(error) if error.may_have_arrived else _not_done(error)) from error
        except AtalaiaError as error:
            # A certificate that does not fit, an address that may not be reached, a breaker that can't be asked.
            raise _not_done(error) from error

    async def _call(
        self,
        operation: str,
        method: str,
        target: str,
        *,
        shape: type[S],
        make: Callable[[S], T],
        body: bytes | None = None,
    ) -> T:
        """The answer is read within the call, so that one that can't be read is on its record, and counts."""
        made: list[T] = []

        def judge(answer: Answer) -> None:
            if self._note is not None:
                self._note(answer.headers)
            self._address.judge(answer)
            made.append(make(answers.read(answer.body, shape)))

        self._address.check_gate()
        await self._upstream().call(
            operation,
            method,
            self._address.url() + target,
            headers=self._headers if body is None else {**self._headers, **_FORM},
            body=body,
            is_repeatable=method == "GET",
            judge=judge,
        )
        return made[-1]


def _not_done(error: AtalaiaError, *, exchange_code: int | None = None) -> NotDone:
    retry_after_s = error.retry_after_s if isinstance(error, TemporaryFailure) else None
    return NotDone(
        error.message, exchange_code=exchange_code, retry_after_s=retry_after_s, hint=error.hint, **error.params
    )


def _unknown(error: AtalaiaError) -> OutcomeUnknown:
    return OutcomeUnknown(error.message, hint=error.hint, **error.params)
