"""Several runs of one case as one result, and two results side by side."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

LATENCIES = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
FIGURES = (
    *("acked_per_s", "delivered_per_s"),
    *LATENCIES,
    *(f"receive_{key}" for key in LATENCIES),
    *("stored_after_s", "others_cpu", "seconds"),
)
COUNTS = (
    *("lost", "doubled", "unordered", "refused", "unanswered", "resyncs"),
    *("sent", "acked", "delivered"),
)
# A database that has everything so soon after the window keeps up.
KEEPS_UP_S = 5.0


def of_runs(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the figures, with the least and the greatest of each in "range"; counts together."""
    result = dict(runs[0])
    spread = {}
    for key in FIGURES:
        values = [run[key] for run in runs if run[key] is not None]
        result[key] = round(statistics.median(values), 3) if values else None
        spread[key] = [min(values), max(values)] if values else None
    for key in COUNTS:
        result[key] = sum(run[key] for run in runs)
    result["cpu_us"] = {
        kind: _median(run["cpu_us"][kind] for run in runs) for kind in runs[0]["cpu_us"]
    }
    result["keeps_up"] = all(run["stored_after_s"] <= KEEPS_UP_S for run in runs)
    result["runs"] = len(runs)
    result["range"] = spread
    return result


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None


def same_case(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("workload", "ack", "in_flight", "rate", "users", "edges", "dispatchers", "text_bytes")
    return all(one.get(key) == other.get(key) for key in keys)


def against(result: dict[str, Any], baseline: Sequence[dict[str, Any]]) -> str:
    """A line for people; latencies of closed loops say nothing and are left out."""
    before = next((one for one in baseline if same_case(result, one)), None)
    if before is None:
        return "  not in the baseline"
    keys = ["acked_per_s"] if result["rate"] is None else ["p50_ms", "p99_ms"]
    parts = [f"{key} x{result[key] / before[key]:.2f}" for key in keys if before[key]]
    cpu = [sum(value or 0 for value in one["cpu_us"].values()) for one in (result, before)]
    if cpu[1]:
        parts.append(f"CPU a message x{cpu[0] / cpu[1]:.2f}")
    return "  against the baseline: " + ", ".join(parts)
