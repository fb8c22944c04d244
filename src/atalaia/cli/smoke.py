"""The smoke test after a deploy: a hub is asked from outside whether it works."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from atalaia.core.errors import AtalaiaError
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.response import Response
from atalaia.store.diagnosis import Finding, error, ok, warning

PATHS = ("/health", "/health/ready", "/openapi.json", "/sign-in")
CLOCK_APART_S = 5
CERTIFICATE_DAYS = 14
_OK = 200


def examine_hub(url: str) -> Iterator[Finding]:
    """`url` is given on the command line, so private addresses are meant."""
    try:
        answers = asyncio.run(_ask(url.rstrip("/")))
    except AtalaiaError as problem:
        yield error("hub", f"{url}: {problem}", "Is it running, and is the address right?")
        return
    yield from _health(answers["/health"])
    yield from _clock(answers["/health"])
    for path in PATHS[1:]:
        status = answers[path].status
        if status == _OK:
            yield ok(path, f"{status} in {answers[path].duration_s * 1000:.0f} ms")
        else:
            yield error(path, f"answered {status}", "Look into the hub's log for the request.")
    yield from _certificate(url)


async def _ask(url: str) -> dict[str, Response]:
    client = HttpClient(Guard(allow_private=True))
    try:
        return {path: await client.request("GET", url + path, trust=Trust.CONFIGURED) for path in PATHS}
    finally:
        await client.aclose()


def _health(answer: Response) -> Iterator[Finding]:
    body = answer.json()
    if not isinstance(body, dict) or "checks" not in body:
        yield error("hub", "what answers there is not Atalaia", "Look at the address and at the proxy before it.")
        return
    bad = [name for name, fine in body["checks"].items() if not fine]
    told = (
        f"version {body.get('version')}, commit {body.get('commit') or 'unknown'}, up for {body.get('uptime', 0):.0f} s"
    )
    if answer.status == _OK:
        yield ok("hub", told)
    else:
        yield error("hub", f"{told}; not well: {', '.join(bad)}", "See the page, and the log of the hub.")
    yield from (warning("hub", f"{name} is not well", "See the page of it.") for name in bad if answer.status == _OK)


def _clock(answer: Response) -> Iterator[Finding]:
    date = answer.headers.get("Date")
    if date is None:
        return
    apart_s = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if apart_s > CLOCK_APART_S:
        yield warning(
            "clock", f"the hub's and this machine's are {apart_s:.0f} s apart", "Set up a time service on both."
        )
    else:
        yield ok("clock", "the hub's and this machine's agree")


def _certificate(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        return
    try:
        days = asyncio.run(_days_left(parts.hostname or "", parts.port or 443))
    except OSError as problem:
        yield error("certificate", str(problem), "Renew it, or correct the chain.")
        return
    if days < CERTIFICATE_DAYS:
        yield warning("certificate", f"ends in {days:.0f} days", "See why it is not renewed.")
    else:
        yield ok("certificate", f"good for {days:.0f} days")


async def _days_left(host: str, port: int) -> float:
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    certificate = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    return (ends_at - datetime.now(UTC)).total_seconds() / 86_400
