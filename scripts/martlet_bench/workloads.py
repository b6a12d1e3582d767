"""What ./dev bench measures, by name. See docs/benchmarks.md."""

from __future__ import annotations

from martlet_bench import floor, history, messages, subjects
from martlet_bench.kind import Kind

WORKLOADS: dict[str, Kind] = {
    "floor": floor,
    "history": history,
    "subjects": subjects,
    **dict.fromkeys(messages.WORKLOADS, messages),
}
