"""FlatBuffers written by hand: requests of a client that does not wait for JSON."""

from __future__ import annotations

import struct

# A number with its layout ("<Q", 5), or the bytes of a string or a vector of bytes; None: left out.
Field = tuple[str, int] | bytes | None


def table(*fields: Field) -> bytes:
    """A buffer with one table: its fields in the order of the schema. Strings and vectors come
    behind it; both end with a zero, which a vector does not need."""
    vtable_size = 4 + 2 * len(fields)
    # Its first field is 8 bytes behind a multiple of 8.
    start = (4 + vtable_size + 11) // 8 * 8 - 4
    offsets = [0] * len(fields)
    end = 4
    for number in sorted(range(len(fields)), key=lambda n: -_size(fields[n])):
        if fields[number] is not None:
            offsets[number] = end
            end += _size(fields[number])
    end += -(start + end) % 4
    data = bytearray(start + end)
    struct.pack_into("<I", data, 0, start)
    struct.pack_into(f"<HH{len(fields)}H", data, start - vtable_size, vtable_size, end, *offsets)
    struct.pack_into("<i", data, start, vtable_size)
    for field, offset in zip(fields, offsets, strict=True):
        if isinstance(field, bytes):
            struct.pack_into("<I", data, start + offset, len(data) - start - offset)
            data += struct.pack("<I", len(field)) + field + b"\0"
            data += bytes(-len(data) % 4)
        elif field is not None:
            struct.pack_into(field[0], data, start + offset, field[1])
    return bytes(data)


def _size(field: Field) -> int:
    return struct.calcsize(field[0]) if isinstance(field, tuple) else 4
