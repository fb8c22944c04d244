import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.metrics.chunks import SPAN_MS, decode, decode_many, decode_sound, encode, span_start_ms
from atalaia.metrics.chunks.bits import pack, unpack
from atalaia.metrics.chunks.columns import get_integers
from atalaia.metrics.chunks.integers import put_integers
from atalaia.metrics.errors import BadChunk

START = 1_700_006_400_000


def check_round_trip(times: list[int], values: list[float]) -> int:
    at_ms, column = np.array(times, np.int64), np.array(values, np.float64)
    blob = encode(at_ms, column, start_ms=START)
    times_back, values_back = decode(blob, start_ms=START)
    assert times_back.tolist() == times
    assert values_back.tobytes() == column.tobytes()
    return len(blob)


def times_for(count: int) -> list[int]:
    return [START + n * 15_000 for n in range(count)]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60))
def test_any_integers_come_back(numbers: list[int]) -> None:
    out = bytearray(b"before")
    put_integers(out, np.array(numbers, np.int64))
    back, end = get_integers(bytes(out) + b"after", 6, len(numbers))
    assert back.tolist() == numbers
    assert end == len(out)


steps = st.one_of(st.integers(0, 3), st.integers(-200, 200), st.integers(0, 10**6), st.integers(-(10**12), 10**12))


@given(st.lists(steps, min_size=1, max_size=300), st.sampled_from([1, 7, 4096, 10**9]))
def test_walks_come_back(walk: list[int], scale: int) -> None:
    numbers = (np.cumsum(np.array(walk, np.int64)) * scale).astype(np.int64)
    out = bytearray()
    put_integers(out, numbers)
    assert get_integers(bytes(out), 0, len(numbers))[0].tolist() == numbers.tolist()


any_bits = st.binary(min_size=8, max_size=8).map(lambda raw: float(struct.unpack("<d", raw)[0]))
values = st.one_of(
    st.floats(),
    any_bits,
    st.decimals(-1000, 1000, places=2, allow_nan=False).map(float),
    st.integers(-5, 5).map(float),
    st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1 / 3, 5e-324, 1e308, 2.0**53, 2.0**63]),
)


@given(st.lists(values, min_size=1, max_size=100))
def test_any_values_come_back_bit_for_bit(numbers: list[float]) -> None:
    check_round_trip(times_for(len(numbers)), numbers)


@given(st.lists(st.decimals(-1000, 1000, places=3, allow_nan=False).map(float), min_size=20, max_size=200), st.data())
def test_strays_among_decimals_come_back_bit_for_bit(numbers: list[float], data: st.DataObject) -> None:
    for _ in range(3):
        numbers[data.draw(st.integers(0, len(numbers) - 1))] = data.draw(values)
    check_round_trip(times_for(len(numbers)), numbers)


@given(st.lists(st.floats(0, 15) | st.integers(0, 1500).map(lambda n: n / 100), min_size=20, max_size=60))
def test_counters_that_are_sums_of_both_come_back_bit_for_bit(steps: list[float]) -> None:
    """Seconds of a processor: some have two decimals, others all fifteen, and no number of decimals fits them all."""
    numbers = [round(each, 2) if n % 3 else each for n, each in enumerate(np.cumsum(steps).tolist())]
    check_round_trip(times_for(len(numbers)), numbers)


def test_a_counter_with_strays_beside_fifteen_decimals_comes_back() -> None:
    """As once written by the hub itself, and not read again: 15 decimals with patches had the mark of raw bits."""
    seconds = [
        *(4.37, 13.959999999999999, 23.64, 33.89, 45.47, 56.69, 67.41, 78.37, 89.61, 101.39, 113.31, 124.9, 135.5),
        *(145.64000000000001, 155.26, 165.87, 176.36, 185.46, 188.48, 197.10999999999999, 205.62, 214.57),
        *(219.14999999999998, 224.91000000000003, 230.74, 236.86, 242.82, 248.82, 255.15, 261.28999999999996),
        *(267.57, 274.09, 279.93, 286.23, 292.2, 298.07, 304.01, 309.98, 316.11, 322.12),
    ]
    for count in range(1, len(seconds) + 1):
        check_round_trip(times_for(count), seconds[:count])


@given(st.lists(st.integers(0, SPAN_MS - 1), min_size=1, max_size=100, unique=True).map(sorted))
def test_any_times_come_back(offsets: list[int]) -> None:
    check_round_trip([START + offset for offset in offsets], [1.5] * len(offsets))


@given(
    st.lists(st.lists(st.decimals(-99, 99, places=1, allow_nan=False).map(float), min_size=3, max_size=4), max_size=30)
)
def test_chunks_decoded_together_are_those_decoded_alone(columns: list[list[float]]) -> None:
    blobs = [
        (START + n * SPAN_MS, encode(np.array(times_for(len(c))), np.array(c), start_ms=START))
        for n, c in enumerate(columns)
    ]
    together = decode_many(blobs)
    assert len(together) == len(columns)
    for (start_ms, blob), (times, numbers) in zip(blobs, together, strict=True):
        alone = decode(blob, start_ms=start_ms)
        assert times.tolist() == alone[0].tolist()
        assert numbers.tobytes() == alone[1].tobytes()


def test_usual_series_take_about_a_byte_a_sample() -> None:
    rng = np.random.default_rng(7)
    times = times_for(480)
    gauge = np.round(50 + np.cumsum(rng.normal(0, 0.5, 480)), 2).tolist()
    counter = np.cumsum(rng.integers(0, 100, 480)).astype(float).tolist()
    flags = (rng.random(480) < 0.5).astype(float).tolist()
    assert check_round_trip(times, gauge) <= 1.1 * 480
    assert check_round_trip(times, counter) <= 1.0 * 480
    assert check_round_trip(times, flags) <= 0.2 * 480
    assert check_round_trip(times, [1.0] * 480) <= 24


@pytest.mark.parametrize("place", [0, 200, 479])
def test_a_gap_among_plain_values_costs_a_few_bytes(place: int) -> None:
    numbers = [float(n % 3) for n in range(480)]
    plain = check_round_trip(times_for(480), numbers)
    numbers[place] = math.nan
    assert check_round_trip(times_for(480), numbers) <= plain + 40


@given(st.data(), st.integers(1, 64), st.integers(1, 3), st.integers(1, 40))
def test_packed_bits_come_back_whatever_their_width(data: st.DataObject, width: int, rows: int, count: int) -> None:
    numbers = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=rows * count, max_size=rows * count))
    table = np.array(numbers, np.uint64).reshape(rows, count)
    packed = b"".join(pack(row, width) for row in table)
    assert unpack(packed, (rows, count), width).tolist() == table.tolist()


def test_damaged_chunks_are_told_from_good_ones() -> None:
    rng = np.random.default_rng(3)
    blob = encode(np.array(times_for(50)), np.round(rng.normal(0, 5, 50), 2), start_ms=START)
    for bad in (b"", b"\x09" + blob[1:], blob[:20], blob[:-5]):
        with pytest.raises(BadChunk):
            decode(bad, start_ms=START)


def test_what_can_be_decoded_is_beside_what_cannot() -> None:
    blob = encode(np.array(times_for(3)), np.array([1.0, 2.0, 3.5]), start_ms=START)
    first, second, third = decode_sound([(START, blob), (START, blob[:-2]), (START, blob)])
    assert second is None
    assert first is not None
    assert third is not None
    assert first[1].tolist() == third[1].tolist() == [1.0, 2.0, 3.5]


def test_a_span_is_two_hours_of_utc() -> None:
    assert span_start_ms(START + 1) == START
    assert START % SPAN_MS == 0
