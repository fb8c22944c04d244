"""Samples of one series over two hours as one blob, bit for bit."""

from atalaia.metrics.chunks.codec import (
    SPAN_MS,
    decode,
    decode_many,
    decode_sound,
    encode,
    encode_times,
    encode_values,
    span_start_ms,
)

__all__ = [
    "SPAN_MS",
    "decode",
    "decode_many",
    "decode_sound",
    "encode",
    "encode_times",
    "encode_values",
    "span_start_ms",
]
