"""FlatBuffers read by hand: what tests look at was written by our code, and is not read by it."""

from __future__ import annotations

import struct


class Table:
    """A FlatBuffers table: its fields by their number in the schema."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data = data
        self.place = place
        self._fields = place - struct.unpack_from("<i", data, place)[0]

    def at(self, number: int) -> int:
        """Where the field is, 0 if it is left out."""
        slot = 4 + 2 * number
        if slot >= struct.unpack_from("<H", self.data, self._fields)[0]:
            return 0
        offset = int(struct.unpack_from("<H", self.data, self._fields + slot)[0])
        return self.place + offset if offset else 0

    def number(self, number: int, layout: str) -> int:
        place = self.at(number)
        return int(struct.unpack_from(layout, self.data, place)[0]) if place else 0

    def target(self, place: int) -> int:
        return place + int(struct.unpack_from("<I", self.data, place)[0])

    def raw(self, number: int, size: int) -> bytes:
        place = self.at(number)
        return self.data[place : place + size] if place else b""

    def text(self, number: int) -> str:
        if not self.at(number):
            return ""
        return self._text_at(self.target(self.at(number)))

    def tables(self, number: int) -> list[Table]:
        start = self.target(self.at(number))
        count = struct.unpack_from("<I", self.data, start)[0]
        places = (start + 4 + 4 * index for index in range(count))
        return [Table(self.data, self.target(place)) for place in places]

    def texts(self, number: int) -> list[str]:
        if not self.at(number):
            return []
        start = self.target(self.at(number))
        count = struct.unpack_from("<I", self.data, start)[0]
        places = (self.target(start + 4 + 4 * index) for index in range(count))
        return [self._text_at(place) for place in places]

    def table(self, number: int) -> Table | None:
        return Table(self.data, self.target(self.at(number))) if self.at(number) else None

    def _text_at(self, place: int) -> str:
        length = struct.unpack_from("<I", self.data, place)[0]
        return self.data[place + 4 : place + 4 + length].decode()


def root(data: bytes) -> Table:
    """The table that a buffer is about."""
    return Table(data, struct.unpack_from("<I", data)[0])
