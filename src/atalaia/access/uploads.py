"""A form with files, read in memory: the framework would put them into temporary files, secrets and all."""

from dataclasses import dataclass, field
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from multipart import (  # type: ignore[import-untyped]  # annotated, without the mark that says so
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from atalaia.access import csrf
from atalaia.access.guards import requires
from atalaia.core.errors import BadInput, Forbidden
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.files import Upload
from atalaia.web.addresses import header
from atalaia.web.bodies import read_body

_OTHER_FIELDS_BYTES: Final = 64 * 1024
_MOST_PARTS: Final = 40
_MULTIPART: Final = "multipart/form-data"
STATE: Final = "uploaded_form"
_OCTETS: Final = "application/octet-stream"


@dataclass(slots=True)
class UploadedForm:
    """What a form brought: texts by name, and files by name; a file field that was left empty is not there."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)


class takes_upload(requires):  # noqa: N801 - read as a word of the route's declaration, as its base
    """`requires`, and the form in `scope["state"][STATE]`; the proof of the page is a field of the form."""

    def __init__(self, permission: Permission, *, max_bytes: int) -> None:
        super().__init__(permission)
        self._max_bytes = max_bytes

    async def __call__(self, connection: "ASGIConnection[Any, Any, Any, Any]", _handler: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        principal = scope["state"].get("principal")
        self._check_permission(connection, principal)
        form = await _read(scope, connection.receive, limit=self._max_bytes + _OTHER_FIELDS_BYTES)
        proof = connection.headers.get(csrf.HEADER) or form.fields.get(csrf.FIELD)
        if principal.kind == "person" and not csrf.is_proof(proof, scope["state"].get("csrf_cookie")):
            raise Forbidden(
                N_("this form is not from a page of this session"),
                code="csrf",
                hint=N_("Load the page anew and send it again."),
            )
        scope["state"][STATE] = form


async def _read(scope: Any, receive: Any, *, limit: int) -> UploadedForm:
    kind, options = parse_options_header(header(scope, b"content-type"))
    if kind != _MULTIPART or not options.get("boundary"):
        return UploadedForm()
    body = await read_body(scope, receive, limit=limit)
    try:
        return _parsed(body, options["boundary"])
    except MultipartError as error:
        raise BadInput(N_("this form can't be read")) from error


def _parsed(body: bytes, boundary: str) -> UploadedForm:
    form = UploadedForm()
    segment: MultipartSegment | None = None
    parts: list[bytes] = []
    with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, parts = event, []
            elif event:
                parts.append(bytes(event))
            elif segment is not None:
                _keep(form, segment, b"".join(parts))
    return form


def _keep(form: UploadedForm, segment: MultipartSegment, data: bytes) -> None:
    name = segment.name or ""
    if segment.filename is None:
        form.fields[name] = data.decode("utf-8", "replace")
    elif segment.filename or data:
        form.files[name] = Upload(segment.filename, segment.content_type or _OCTETS, data)
