"""Figures that are read again and again while something runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Row = dict[str, float]
Self = TypeVar("Self", bound="Sampler")


class Sampler:
    """Reads every so many seconds until it is closed, on a thread of its own; a reading that fails is
    the last one, and raised at the end. rows: what it read, and at_s, which is monotonic."""

    def __init__(self, step_s: float, read: Callable[[], Row]) -> None:
        self._step_s = step_s
        self._read = read
        self.rows: list[Row] = []
        self._failure: Exception | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._read_again_and_again()
        except Exception as failure:
            self._failure = failure

    def _read_again_and_again(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            row: Row = {"at_s": time.monotonic()}
            row.update(self._read())
            self.rows.append(row)
            due = max(due + self._step_s, time.monotonic())

    def since(self, begin: float) -> list[Row]:
        """The rows from then on, with at_s after it."""
        return [
            {**row, "at_s": round(row["at_s"] - begin, 2)}
            for row in self.rows
            if row["at_s"] >= begin
        ]

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._closing.set()
        self._thread.join()
        if self._failure and error is None:
            raise self._failure
