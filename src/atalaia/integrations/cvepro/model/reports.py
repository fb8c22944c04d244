"""Reports of a month: made of a statement, or brought by a person; what may be brought, told by its content. Pure."""

import csv
import io
import re
import unicodedata
import zipfile
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

JOB: Final = "cvepro-report"
MOST_BYTES: Final = 20 * 1024 * 1024
LONGEST_TITLE: Final = 120
_WORKBOOK: Final = {"[Content_Types].xml", "xl/workbook.xml"}
_MOST_ENTRIES: Final = 10_000
_LEAST_COLUMNS: Final = 2
_LOOKED_AT: Final = 64 * 1024
_UNSAFE: Final = re.compile(r"[^\w.()\- ]+")
_MAGIC: Final = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)


class Which(StrEnum):
    """Of a month: all there is, that of the whole condominium, or that of one flat."""

    ALL = "all"
    WHOLE = "whole"
    FLAT = "flat"


class Format(StrEnum):
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


MEDIA_TYPES: Final = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv",
    Format.PNG: "image/png",
    Format.JPEG: "image/jpeg",
    Format.WEBP: "image/webp",
}
MADE: Final = (Format.PDF, Format.XLSX)


class ReportOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a job is to make; `flat` where `which` is one flat's."""

    month: str
    which: Which = Which.ALL
    flat: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`flat` None: of the whole condominium. `job_id` None: uploaded. `holders`: ids of the residents who charged in it."""

    id: str
    month: str
    flat: str | None
    title: str
    format: Format
    file_id: str
    size_bytes: int
    job_id: str | None
    holders: tuple[str, ...] = ()
    created_by: str
    created_at: datetime


def month_key(order: ReportOrder) -> str:
    """One at a time of a month."""
    return f"cvepro-report:{order.month}"


def one_of_them(order: ReportOrder) -> str:
    """What there is at most one unfinished job of."""
    return f"cvepro-report:{order.month}:{order.which}:{order.flat or ''}"


def recognised(content: bytes, field: str = "file") -> Format:
    """By what it is, and not by what it is called. Raises: InvalidField."""
    if not content:
        raise InvalidField(field, N_("This file is empty."))
    if len(content) > MOST_BYTES:
        raise InvalidField(field, N_("at most {limit} MB"), limit=MOST_BYTES // 1024 // 1024)
    for magic, name in _MAGIC:
        if content.startswith(magic):
            return Format(name)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Format.WEBP
    if _is_workbook(content):
        return Format.XLSX
    if _is_csv(content):
        return Format.CSV
    raise InvalidField(field, N_("This is no PDF, XLSX, CSV, PNG, JPEG or WebP file."))


def _is_workbook(content: bytes) -> bool:
    if not content.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # its table of contents alone: nothing is unpacked
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return len(names) <= _MOST_ENTRIES and set(names) >= _WORKBOOK


def _is_csv(content: bytes) -> bool:
    """Text with columns. Markup and programs are not: browsers and spreadsheets are known to take them for what they are not."""
    if b"\0" in content:
        return False
    text = _text(content)[:_LOOKED_AT]
    lines = [line for line in text.splitlines()[:-1] or text.splitlines() if line.strip()]
    if not lines or text.lstrip().startswith(("<", "#!", "{", "[")):
        return False
    if any(unicodedata.category(letter) == "Cc" for letter in text if letter not in "\t\r\n"):
        return False
    return any(
        all(len(row) >= _LEAST_COLUMNS for row in csv.reader(lines[:50], delimiter=mark)) for mark in (";", ",", "\t")
    )


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read_title(text: str, field: str = "title") -> str:
    """Raises: InvalidField."""
    title = " ".join(text.split())
    if not title:
        raise InvalidField(field, N_("This field is needed."))
    if not title.isprintable() or len(title) > LONGEST_TITLE:
        raise InvalidField(field, N_("at most {limit} letters"), limit=LONGEST_TITLE)
    return title


def file_name(title: str, format: Format) -> str:
    """One that every system takes."""
    plain = _UNSAFE.sub(" ", unicodedata.normalize("NFC", title))
    return f"{' '.join(plain.split()).strip('. ')[:LONGEST_TITLE] or 'report'}.{format}"
