"""Why a job is not done, for the person who has to do something: what happened, the likely cause, the next step."""

from dataclasses import dataclass
from typing import Final

from atalaia.core.translations import N_, Translator
from atalaia.jobs.model.views import JobOut
from atalaia.jobs.pages.words import retold

# class of the error -> (title, what to do)
_KNOWN: Final = {
    "payload_departs": (
        N_("The payload departs from the capture"),
        N_("It was not sent. The comparison is below: record the real page anew where it has changed, or correct the job's values."),
    ),
    "forbidden": (
        N_("Refused: 403"),
        N_("The payload departs from what the real page sends. The comparison with the capture is at the step below."),
    ),
    "refused": (N_("Refused by the other side"), N_("Its own words are at the step below.")),
    "no_template": (N_("No template for this frame"), N_("Import a capture of the real page in which this action is done.")),
    "upstream_temporary": (
        N_("No answer in time"),
        N_("Look at the upstream's state: when it answers again, start the job again."),
    ),
    "upstream_auth_expired": (
        N_("The session is refused: 401"),
        N_("Look at the token on the upstream's page, and log in anew there."),
    ),
    "upstream_permanent": (N_("The upstream does not take it"), N_("Correct what it names; the same again will fail again.")),
    "upstream_bad_payload": (
        N_("The answer can't be read"),
        N_("The other side answers in another form than before: look at the frames below."),
    ),
    "outcome_unknown": (
        N_("Nobody knows whether it happened"),
        N_("See on the other side (the vehicle itself, its history) what happened, then decide here."),
    ),
    "lease_lost": (N_("Its worker was lost three times"), N_("Look at the worker's log for why it ended; then start the job again.")),
    "too_long": (N_("It took too long"), N_("Look at the last step for what it waited for.")),
    "internal_error": (
        N_("The worker's own code failed"),
        N_("It is in the worker's log with this job's id. A newer version may help."),
    ),
    "bad_payload": (N_("The payload can't be used"), N_("Start a new job with the right values.")),
    "unresolved": (N_("Nobody could find out what happened"), N_("See on the other side what happened, then decide here.")),
}  # fmt: skip
_BY_STATE: Final = {
    "failed": N_("It failed"),
    "dead": N_("All tries have failed"),
    "unknown": N_("Nobody knows whether it happened"),
    "retrying": N_("The last try failed"),
}
_CUT: Final = "WebSocket was closed"
_TO_UPSTREAM: Final = {"upstream_temporary", "upstream_auth_expired", "upstream_permanent"}
_TO_CAPTURES: Final = {"payload_departs", "forbidden", "no_template"}
_TO_WORKERS: Final = {"lease_lost", "internal_error"}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """`kind` is the stable word for scripts."""

    kind: str
    title: str
    message: str
    hint: str
    links: tuple[Link, ...]


def trouble_of(job: JobOut, translator: Translator, *, upstream: str | None, has_departures: bool) -> Trouble | None:
    error = job.error
    if error is None:
        return None
    title, hint = _KNOWN.get(error.class_, (_BY_STATE.get(job.state, N_("It failed")), ""))
    if error.class_ == "upstream_temporary" and _CUT in error.message:
        title = N_("The connection was cut")
    own = retold(error.hint, translator)
    general = translator.translate(hint) if hint else ""
    return Trouble(
        kind=error.class_,
        title=translator.translate(title),
        message=retold(error.message, translator),
        hint=own or general,
        links=tuple(_links(error.class_, translator, upstream=upstream, has_departures=has_departures)),
    )


def _links(kind: str, translator: Translator, *, upstream: str | None, has_departures: bool) -> list[Link]:
    translate, links = translator.translate, []
    if has_departures and kind in _TO_CAPTURES:
        links.append(Link(translate("Open the comparison"), "#departures"))
    if upstream and kind in _TO_CAPTURES:
        links.append(Link(translate("Frame templates"), f"/captures/templates?upstream={upstream}"))
    if upstream and kind in _TO_UPSTREAM:
        links.append(Link(translate("Open the upstream"), f"/upstreams/{upstream}"))
    if kind in _TO_WORKERS:
        links.append(Link(translate("Workers"), "/jobs/workers"))
    return links
