"""One thing to measure: a workload, and what sets this case of it apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """keys: what --only chooses by, and what a result begins with."""

    workload: str
    keys: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.keys[key]

    def fits(self, wanted: Iterable[tuple[str, str]]) -> bool:
        """Of several values of one key any will do; a key that a workload does not have is about
        others in the same invocation."""
        by_key: dict[str, set[str]] = {}
        for key, value in wanted:
            by_key.setdefault(key, set()).add(value)
        return all(
            key not in self.keys or _text(self.keys[key]) in values for key, values in by_key.items()
        )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_only(text: str) -> list[tuple[str, str]]:
    """KEY=VALUE,KEY=VALUE …; raises ValueError."""
    wanted = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise ValueError(f"{part!r} is not KEY=VALUE")
        wanted.append((key, value))
    return wanted
