import math
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.metrics.errors import BadSeries
from atalaia.metrics.exposition import KnownSeries, Parsed, parse
from atalaia.metrics.exposition.writer import write_line, write_value
from atalaia.metrics.series import MAX_LABELS, Series, make_series

NOW = 1_700_000_000_000


def read(body: bytes, known: KnownSeries | None = None) -> Parsed:
    return parse(body, known or KnownSeries(), default_at_ms=NOW)


def learn(parsed: Parsed, known: KnownSeries) -> dict[Series, int]:
    ids: dict[Series, int] = {}
    for new in parsed.unknown.values():
        known.learn(new.key, ids.setdefault(new.series, len(ids)))
    return ids


def series_of(parsed: Parsed) -> set[Series]:
    return {new.series for new in parsed.unknown.values()}


def bits(values: Iterable[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


def test_a_line_has_a_series_a_value_and_perhaps_a_time() -> None:
    parsed = read(b'up 1\nload{host="a", core="0"} 0.25 1600000000123\n')
    assert series_of(parsed) == {make_series("up"), make_series("load", {"core": "0", "host": "a"})}
    assert parsed.samples.values.tolist() == [1.0, 0.25]
    assert parsed.samples.at_ms.tolist() == [NOW, 1_600_000_000_123]
    assert parsed.rejected == []


def test_spellings_of_one_series_are_one() -> None:
    parsed = read(b'm{a="1",b="2"} 1\nm{b="2",a="1"} 2\nm { b = "2" , a="1", } 3\nm{a="1",b="2",c=""} 4\n')
    assert series_of(parsed) == {make_series("m", {"a": "1", "b": "2"})}
    assert len(parsed.samples) == 4


def test_label_values_hold_blanks_braces_and_escapes() -> None:
    parsed = read(rb'm{path="C:\\DIR\\x } y",say="\"hi\"\n",z="a,b=c"} 3 5' + b"\n")
    expected = make_series("m", {"path": "C:\\DIR\\x } y", "say": '"hi"\n', "z": "a,b=c"})
    assert series_of(parsed) == {expected}
    assert parsed.samples.at_ms.tolist() == [5]


def test_special_values_are_kept_bit_for_bit() -> None:
    parsed = read(b"a NaN\nb +Inf\nc -Inf\nd -0\ne 1e-3\nf .5\ng 1.\nh +7\n")
    assert parsed.rejected == []
    expected = [float("nan"), float("inf"), float("-inf"), -0.0, 1e-3, 0.5, 1.0, 7.0]
    assert bits(parsed.samples.values) == bits(expected)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"up", "a value"),
        (b"up x", "not a number"),
        (b"up 1_000", "not a number"),
        (b"up 0x10", "not a number"),
        (b"up 1 1.5", "whole number of milliseconds"),
        (b"up 1 2 3", "at most a timestamp"),
        (b"up 1 1600000000000000000", "out of range"),
        (b"up 1 -5", "out of range"),
        (b"9up 1", "metric name"),
        (b'up{a="1" 1', "not closed"),
        (b'up{a="1} 1', "not closed"),
        (b"up{a=1} 1", "not closed"),
        (b'up{1a="1"} 1', "not a label name"),
        (b'up{a="1",a="2"} 1', "given twice"),
        (b'up{__name__="x"} 1', "reserved"),
        (b'up{a="\xff"} 1', "UTF-8"),
        (b"up-time 1", "unexpected '-'"),
        (b'm{a="' + b"x" * 3000 + b'"} 1', "longer than"),
        (b"m" * 300 + b" 1", "longer than"),
        (b"m{" + b",".join(b'l%d="1"' % n for n in range(MAX_LABELS + 1)) + b"} 1", "more than 64 labels"),
    ],
)
def test_a_bad_line_is_reported_by_number_and_the_good_ones_are_kept(line: bytes, why: str) -> None:
    parsed = read(b"first 1\n" + line + b"\nlast 2\n")
    assert [bad.line for bad in parsed.rejected] == [2]
    assert why in parsed.rejected[0].why
    assert parsed.samples.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bad", [b"known x 5", b"known 1 x", b"known 1 1e3", b"known 1_0 5", b"known", b"known 1 2 3"])
def test_a_bad_line_is_found_among_known_series(bad: bytes) -> None:
    known = KnownSeries()
    known.learn(b"known", 7)
    parsed = read(b"known 1 5\nknown 2 6\n" + bad + b"\nknown 3 7\n", known)
    assert [each.line for each in parsed.rejected] == [3]
    assert parsed.samples.series_ids.tolist() == [7, 7, 7]
    assert parsed.samples.at_ms.tolist() == [5, 6, 7]


def test_line_ends_and_blank_lines_are_tolerated() -> None:
    parsed = read(b"a 1\r\n\r\n  b   2\t3  \n\n# a comment\nc 4")
    assert parsed.rejected == []
    assert parsed.samples.values.tolist() == [1.0, 2.0, 4.0]


def test_an_empty_body_is_nothing() -> None:
    assert len(read(b"").samples) == 0
    assert len(read(b"\n").samples) == 0


def test_metadata_is_read() -> None:
    parsed = read(b"# HELP m What it\\nsays.\n# TYPE m counter\n# TYPE m nonsense\n# EOF\nm 1\n")
    assert [tuple(each) for each in parsed.metadata] == [("m", "help", "What it\nsays."), ("m", "type", "counter")]


@pytest.mark.parametrize("body", [b"a  5\n", b" a 5\n", b"a 5 \n", b" \n", b"  \n", b"a  5\nb 1 2 a 3 4\n"])
def test_empty_fields_shift_nothing(body: bytes) -> None:
    known = KnownSeries()
    known.learn(b"a", 1)
    known.learn(b"b", 2)
    parsed = read(body, known)
    expected = [(1, 5.0)] if b"a" in body else []
    assert list(zip(parsed.samples.series_ids.tolist(), parsed.samples.values.tolist(), strict=True)) == expected


def test_misplaced_line_ends_are_not_mended_by_chance() -> None:
    known = KnownSeries()
    known.learn(b"a", 1)
    known.learn(b"b", 2)
    parsed = read(b"a 1\n5 b 2 3\n", known)
    assert [bad.line for bad in parsed.rejected] == [2]


numbers = st.one_of(
    st.floats(), st.integers(-(10**18), 10**18).map(float), st.decimals(-1000, 1000, places=2).map(float)
)
names = st.sampled_from(["a", "b_total", "c:rate", "d"])
labels = st.dictionaries(st.sampled_from(["x", "y", "_z"]), st.text(max_size=8).filter(lambda t: "\x00" not in t))
rows = st.lists(
    st.tuples(names, labels, numbers, st.one_of(st.none(), st.integers(0, 10**14))), min_size=1, max_size=20
)


@given(rows)
def test_what_is_written_reads_back_the_same_before_and_after_it_is_known(
    given_rows: list[tuple[str, dict[str, str], float, int | None]],
) -> None:
    written = [(make_series(name, pairs), value, at_ms) for name, pairs, value, at_ms in given_rows]
    body = "".join(write_line(*row) for row in written).encode()
    known = KnownSeries()
    first = read(body, known)
    ids = learn(first, known)
    again = read(body, known)
    for parsed in (first, again):
        assert parsed.rejected == []
        expected = [float("nan") if math.isnan(value) else value for _, value, _ in written]
        assert bits(parsed.samples.values) == bits(expected)
        assert parsed.samples.at_ms.tolist() == [NOW if at_ms is None else at_ms for _, _, at_ms in written]
    assert again.unknown == {}
    assert again.samples.series_ids.tolist() == [ids[series] for series, _, _ in written]


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    parsed = read(body)
    assert len(parsed.samples) + len(parsed.rejected) <= body.count(b"\n") + 1


@given(st.floats(allow_nan=False))
def test_numbers_are_written_as_short_as_they_read_back(value: float) -> None:
    assert struct.pack("<d", float(write_value(value))) == struct.pack("<d", value)


def test_a_name_is_limited() -> None:
    with pytest.raises(BadSeries, match="longer"):
        make_series("x" * 257)
