"""Several runs of one case as one result, and two results side by side."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from martlet_bench import quietness
from martlet_bench.case import Case
from martlet_bench.kind import Kind


def of_runs(kind: Kind, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the figures, with the least and the greatest of each in "range"; counts together; what
    says yes or no holds if it does in every run."""
    result = dict(runs[0])
    spread = {}
    for key in (*kind.FIGURES, *quietness.FIGURES):
        values = [run[key] for run in runs if run[key] is not None]
        if values and isinstance(values[0], dict):
            result[key] = _medians(values)
            continue
        result[key] = _median(values)
        spread[key] = [min(values), max(values)] if values else None
    for key in kind.COUNTS:
        result[key] = sum(run[key] for run in runs)
    for key in (key for key, value in result.items() if value is True):
        result[key] = all(run[key] for run in runs)
    result["runs"] = len(runs)
    result["range"] = spread
    return result


def _medians(values: Sequence[Any]) -> Any:
    """Of tables, which may be of tables."""
    if isinstance(values[0], dict):
        return {name: _medians([one[name] for one in values]) for name in values[0]}
    return _median(values)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 3) if known else None


def same_case(case: Case, one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("workload", *case.keys, "users", "edges", "dispatchers", "text_bytes")
    return all(one.get(key) == other.get(key) for key in keys)


def against(case: Case, result: dict[str, Any], baseline: Sequence[dict[str, Any]]) -> str:
    """A line for people; latencies of closed loops say nothing and are left out."""
    before = next((one for one in baseline if same_case(case, result, one)), None)
    if before is None:
        return "  not in the baseline"
    keys = [key for key in result["range"] if key.endswith("_per_s")]
    if result.get("rate"):
        keys = ["p50_ms", "p99_ms"]
    parts = [f"{key} x{result[key] / before[key]:.2f}" for key in keys if before.get(key)]
    cpu = [sum(v or 0 for v in one.get("cpu_us", {}).values()) for one in (result, before)]
    if cpu[1]:
        parts.append(f"CPU a message x{cpu[0] / cpu[1]:.2f}")
    return "  against the baseline: " + ", ".join(parts)
