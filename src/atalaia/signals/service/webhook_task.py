"""The task `webhook`: a signed POST to an address, as the channel of that name does it; the guard decides where it may lead."""

from urllib.parse import urlsplit

import msgspec

from atalaia.core.clock import from_ms
from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.outbound.http import HttpClient, check_url, phrase_of
from atalaia.outbound.limits import Limits
from atalaia.outbound.signing import DELIVERY_HEADER, SIGNATURE_HEADER, sign
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import WEBHOOK, Options, read_options
from atalaia.signals.service.tasks import OwnRun, Task
from atalaia.store.encryption import Sealer

ANSWERED = N_("the receiver answered {answer}")
_LIMITS = Limits(connect_s=5, read_s=10, whole_s=20, body_bytes=2048, cuts_body=True)


class Said(msgspec.Struct, frozen=True):
    """What the receiver is told; docs/guides/signals.md."""

    signal: str
    run: str
    fence: int
    source: str
    started_at: str
    event: str = "signal"


def purpose_of(signal: str) -> str:
    return f"signal:{signal}"


def webhook_task(http: HttpClient, sealer: Sealer) -> Task:
    async def run(own: OwnRun) -> Ending:
        started = own.started
        url = read_options(started.options).url or ""
        at = from_ms(started.started_ms).isoformat()
        body = msgspec.json.encode(Said(started.signal, started.run_id, started.fence, started.source, at))
        headers = {"Content-Type": "application/json", DELIVERY_HEADER: started.run_id}
        if started.secret is not None:
            secret = sealer.open(started.secret, purpose=purpose_of(started.signal))
            headers[SIGNATURE_HEADER] = sign(body, secret)
        response = await http.request("POST", url, headers=headers, body=body, limits=_LIMITS, is_repeatable=True)
        phrase = phrase_of(response.status)
        if response.is_success:
            return Ending(Outcome.SUCCEEDED, ANSWERED, {"answer": phrase})
        return Ending(Outcome.FAILED, error=ANSWERED.format(answer=phrase))

    return Task(name=WEBHOOK, title=N_("Post to a webhook"), run=run, check=check_webhook)


def check_webhook(options: Options) -> None:
    """Raises: InvalidField."""
    if not options.url:
        raise InvalidField("webhook", N_("the task webhook needs the address that it posts to"))
    check_url(options.url)
    if urlsplit(options.url).username is not None:
        raise InvalidField("url", N_("Name and password do not belong in the address."))
