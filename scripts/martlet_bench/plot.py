"""Small plots for people, of cases of one workload that differ in one number."""

from __future__ import annotations

from collections.abc import Sequence

from martlet_bench import table
from martlet_bench.kind import Result

# What is on the axis, and which figure depends on it.
AXES = (("rate", "p99_ms"), ("in_flight", "acked_per_s"), ("subjects", "delivered_per_s"))
# What two cases of one plot have in common.
TITLE = ("workload", "size", "kind", "shape", "ack")
WIDTH = 50
FEWEST = 2


def plots(results: Sequence[Result]) -> list[str]:
    lines: list[str] = []
    for axis, figure in AXES:
        groups: dict[str, list[Result]] = {}
        for result in results:
            if result.get(axis) and result.get(figure) is not None:
                title = ", ".join(str(result[key]) for key in TITLE if key in result)
                groups.setdefault(title, []).append(result)
        for title, group in groups.items():
            if len(group) >= FEWEST:
                lines += [f"{title}: {figure} by {axis}", *_bars(group, axis, figure)]
    return lines


def _bars(group: Sequence[Result], axis: str, figure: str) -> list[str]:
    """As long as the figure, the longest WIDTH."""
    most = max(result[figure] for result in group) or 1
    digits = 1 if figure.endswith("_ms") else 0
    return [
        f"  {result[axis]:>12,g} |{'#' * round(WIDTH * result[figure] / most):<{WIDTH}} "
        f"{table.number(result[figure], digits)}"
        for result in sorted(group, key=lambda result: float(result[axis]))
    ]
