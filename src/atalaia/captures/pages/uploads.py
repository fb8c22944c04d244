"""A form with a file, read in memory: the framework would put it into a temporary file, secrets and all."""

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
from atalaia.captures.model.importing import MAX_FILE_BYTES
from atalaia.core.errors import BadInput, Forbidden
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.addresses import header
from atalaia.web.bodies import read_body

_OTHER_FIELDS_BYTES: Final = 64 * 1024
_MULTIPART: Final = "multipart/form-data"
STATE: Final = "capture_upload"


@dataclass(slots=True)
class Upload:
    """What a form brought: texts by name, and the one file."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    data: bytes = b""


class takes_upload(requires):  # noqa: N801 - read as a word of the route's declaration, as its base
    """`requires`, and the form's file in `scope["state"][STATE]`; the proof of the page is a field of the form."""

    def __init__(self) -> None:
        super().__init__(Permission.UPSTREAMS_WRITE)

    async def __call__(self, connection: "ASGIConnection[Any, Any, Any, Any]", _handler: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        principal = scope["state"].get("principal")
        self._check_permission(connection, principal)
        upload = await _read(scope, connection.receive)
        proof = connection.headers.get(csrf.HEADER) or upload.fields.get(csrf.FIELD)
        if principal.kind == "person" and not csrf.is_proof(proof, scope["state"].get("csrf_cookie")):
            raise Forbidden(
                N_("this form is not from a page of this session"),
                code="csrf",
                hint=N_("Load the page anew and send it again."),
            )
        scope["state"][STATE] = upload


async def _read(scope: Any, receive: Any) -> Upload:
    kind, options = parse_options_header(header(scope, b"content-type"))
    if kind != _MULTIPART or not options.get("boundary"):
        return Upload()
    body = await read_body(scope, receive, limit=MAX_FILE_BYTES + _OTHER_FIELDS_BYTES)
    try:
        return _parsed(body, options["boundary"])
    except MultipartError as error:
        raise BadInput(N_("this form can't be read")) from error


def _parsed(body: bytes, boundary: str) -> Upload:
    upload = Upload()
    segment: MultipartSegment | None = None
    parts: list[bytes] = []
    with PushMultipartParser(boundary, max_segment_count=20) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, parts = event, []
            elif event:
                parts.append(bytes(event))
            elif segment is not None:
                _keep(upload, segment, b"".join(parts))
    return upload


def _keep(upload: Upload, segment: MultipartSegment, data: bytes) -> None:
    if segment.name == "file":
        upload.file_name, upload.data = segment.filename or "", data
    else:
        upload.fields[segment.name or ""] = data.decode("utf-8", "replace")
