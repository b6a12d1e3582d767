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
    *("stored_after_s", "others_cpu", "seconds", "raw_core_per_s"),
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
    for key in (key for key in FIGURES if key in result):
        values = [run[key] for run in runs if run[key] is not None]
        result[key] = round(statistics.median(values), 3) if values else None
        spread[key] = [min(values), max(values)] if values else None
    for key in (key for key in COUNTS if key in result):
        result[key] = sum(run[key] for run in runs)
    if "cpu_us" in result:
        kinds = result["cpu_us"]
        result["cpu_us"] = {kind: _median(run["cpu_us"][kind] for run in runs) for kind in kinds}
        result["keeps_up"] = all(run["stored_after_s"] <= KEEPS_UP_S for run in runs)
    result["runs"] = len(runs)
    result["range"] = spread
    return result


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None


def share_of_floor(
    result: dict[str, Any], floors: Sequence[dict[str, Any]]
) -> float | None:
    """Of the same number under way, in the same invocation: the machine's mood is in both."""
    for floor in floors:
        if floor["in_flight"] == result["in_flight"] and floor["acked_per_s"]:
            return round(result["acked_per_s"] / floor["acked_per_s"], 3)
    return None


def same_case(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("workload", "ack", "in_flight", "rate", "users", "edges", "dispatchers", "text_bytes")
    return all(one.get(key) == other.get(key) for key in keys)


def against(result: dict[str, Any], baseline: Sequence[dict[str, Any]]) -> str:
    """A line for people; latencies of closed loops say nothing and are left out."""
    before = next((one for one in baseline if same_case(result, one)), None)
    if before is None:
        return "  not in the baseline"
    keys = ["p50_ms", "p99_ms"] if result.get("rate") else ["acked_per_s"]
    parts = [f"{key} x{result[key] / before[key]:.2f}" for key in keys if before[key]]
    cpu = [sum(v or 0 for v in one.get("cpu_us", {}).values()) for one in (result, before)]
    if cpu[1]:
        parts.append(f"CPU a message x{cpu[0] / cpu[1]:.2f}")
    return "  against the baseline: " + ", ".join(parts)
