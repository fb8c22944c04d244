"""A batch of samples comes back as it was given, whatever its blocks share."""

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from atalaia.metrics.batches import join_samples, pack_batch, unpack_batch
from atalaia.metrics.errors import BadChunk
from atalaia.metrics.exposition import Samples, times_of

VALUES = st.floats(allow_nan=True, allow_infinity=True)
ROWS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2**42), VALUES), min_size=1, max_size=8)


def make_block(rows: list[tuple[int, int, float]]) -> Samples:
    ids, times, values = zip(*rows, strict=True)
    return Samples(np.array(ids, np.int64), times_of(list(times)), np.array(values, np.float64))


def shown(blocks: list[Samples]) -> list[tuple[int, int, bytes]]:
    """Values by their bits."""
    joined = join_samples(blocks)
    return [
        (series_id, at_ms, value.tobytes())
        for series_id, at_ms, value in zip(
            joined.series_ids.tolist(), joined.at_ms.tolist(), joined.values, strict=True
        )
    ]


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_what_is_packed_comes_back_bit_for_bit(blocks: list[list[tuple[int, int, float]]]) -> None:
    given_blocks = [make_block(rows) for rows in blocks]
    assert shown(unpack_batch(pack_batch(given_blocks))) == shown(given_blocks)


def test_blocks_of_the_same_series_share_them_and_their_time_is_there_once() -> None:
    ids = np.arange(1, 101)
    blocks = [Samples(ids, times_of([at] * 100), np.zeros(100)) for at in (1000, 2000)]
    found = unpack_batch(pack_batch(blocks))
    assert found[0].series_ids is found[1].series_ids
    assert [block.has_one_time for block in found] == [True, True]
    assert [int(block.at_ms[0]) for block in found] == [1000, 2000]


def test_a_batch_of_the_former_version_is_read() -> None:
    columns = np.array([7, 1], "<i4").tobytes() + np.array([1000, 5], "<i8").tobytes()
    body = zstandard.ZstdCompressor().compress(columns + np.array([1.5, 2.5], "<f8").tobytes())
    (block,) = unpack_batch(b"\x01" + body)
    assert block.series_ids.tolist() == [7, 8]
    assert block.at_ms.tolist() == [1000, 1005]
    assert block.values.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(("begin", "end"), [(b"", 0), (b"\x09", None), (b"\x02", -3)])
def test_a_damaged_batch_is_told_as_such(begin: bytes, end: int | None) -> None:
    blob = begin + pack_batch([make_block([(1, 2, 3.0)])])[1:]
    with pytest.raises(BadChunk):
        unpack_batch(blob[:end])


def test_a_batch_that_ends_early_is_told_as_such() -> None:
    cut = zstandard.ZstdDecompressor().decompress(pack_batch([make_block([(1, 2, 3.0), (1, 5, 3.0)])])[1:])[:-8]
    with pytest.raises(BadChunk):
        unpack_batch(b"\x02" + zstandard.ZstdCompressor().compress(cut))
