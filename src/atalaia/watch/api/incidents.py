"""JSON routes below /api/incidents."""

from enum import StrEnum
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from atalaia.access.guards import requires
from atalaia.core.formats import zone
from atalaia.core.permissions import Permission
from atalaia.notify.model.severity import Severity
from atalaia.watch.api.checks import Limit
from atalaia.watch.api.forms import CommentIn, IncidentOut, IncidentWithTimeline, incident_out, incident_with_timeline
from atalaia.watch.edges import AnyRequest, ThePages, Watch, actor_of, one_of
from atalaia.watch.model.incidents import IncidentState
from atalaia.watch.model.post_mortem import MEDIA_TYPE, Writing, post_mortem
from atalaia.watch.model.values import IncidentFilter
from atalaia.web.cursors import DEFAULT_LIMIT, Listing, decode_cursor, page_of

_READ: Any = {"guards": [requires(Permission.INCIDENTS_READ)], "tags": ["Incidents"]}
_WRITE: Any = {"guards": [requires(Permission.INCIDENTS_WRITE)], "tags": ["Incidents"], "status_code": 200}


class StateAsked(StrEnum):
    """`open`: all that are not resolved, acknowledged or not; `unacknowledged`: those that nobody has yet."""

    OPEN = "open"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


_KEPT_STATES = {
    StateAsked.UNACKNOWLEDGED: IncidentState.OPEN,
    StateAsked.ACKNOWLEDGED: IncidentState.ACKNOWLEDGED,
    StateAsked.RESOLVED: IncidentState.RESOLVED,
}


@get("/api/incidents", **_READ)
async def list_incidents(
    watch: Watch,
    in_state: Annotated[str | None, QueryParameter(name="state", schema_extra={"enum": list(StateAsked)})] = None,
    severity: FromQuery[Severity | None] = None,
    check: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[IncidentOut]:
    """Newest first. `state=open` gives all that are not resolved; `unacknowledged` those of them that nobody has yet."""
    asked = one_of(StateAsked, in_state, field="state")
    wanted = IncidentFilter(
        state=None if asked is None else _KEPT_STATES.get(asked),
        is_open=True if asked is StateAsked.OPEN else None,
        severity=severity,
        check_id=check,
        text=q,
    )
    after = decode_cursor(cursor, str)
    rows = await watch.incidents(wanted, limit=limit, after=after[0] if after else None)
    page, following = page_of(rows, limit, lambda incident: (incident.id,))
    return Listing([incident_out(incident, public_url=watch.public_url) for incident in page], following)


async def _whole(watch: Watch, incident_id: str) -> IncidentWithTimeline:
    incident, events = await watch.incident(incident_id)
    return incident_with_timeline(incident, events, public_url=watch.public_url)


@get("/api/incidents/{incident_id:str}", **_READ)
async def read_incident(incident_id: FromPath[str], watch: Watch) -> IncidentWithTimeline:
    """One incident with its timeline, oldest first."""
    return await _whole(watch, incident_id)


@get("/api/incidents/{incident_id:str}/post-mortem", media_type="text/markdown", **_READ)
async def read_post_mortem(
    incident_id: FromPath[str], request: AnyRequest, watch: Watch, pages: ThePages
) -> Response[str]:
    """What was recorded of it, as Markdown to go on writing in; in the reader's language and time zone."""
    incident, events = await watch.incident(incident_id)
    writing = Writing(pages.translator(request), zone(pages.timezone_of(request)), watch.now())
    text = post_mortem(incident, events, writing=writing, address=f"{watch.public_url}/incidents/{incident.id}")
    headers = {
        "content-disposition": f'attachment; filename="post-mortem-{incident.id}.md"',
        "cache-control": "no-store",
    }
    return Response(text, media_type=MEDIA_TYPE, headers=headers)


@post("/api/incidents/{incident_id:str}/acknowledge", **_WRITE)
async def acknowledge_incident(incident_id: FromPath[str], request: AnyRequest, watch: Watch) -> IncidentWithTimeline:
    """Say that somebody is at it: nobody is told again."""
    await watch.acknowledge(incident_id, actor_of(request))
    return await _whole(watch, incident_id)


@post("/api/incidents/{incident_id:str}/comments", **_WRITE)
async def comment_incident(
    incident_id: FromPath[str], data: JSONBody[CommentIn], request: AnyRequest, watch: Watch
) -> IncidentWithTimeline:
    await watch.comment(incident_id, data.text, actor_of(request))
    return await _whole(watch, incident_id)


@post("/api/incidents/{incident_id:str}/close", **_WRITE)
async def close_incident(incident_id: FromPath[str], request: AnyRequest, watch: Watch) -> IncidentWithTimeline:
    """End it by hand. The check opens another one only after it has recovered and failed again."""
    await watch.close(incident_id, actor_of(request))
    return await _whole(watch, incident_id)


ROUTES = (
    list_incidents,
    read_incident,
    read_post_mortem,
    acknowledge_incident,
    comment_incident,
    close_incident,
)
