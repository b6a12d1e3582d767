"""Rows of a result for people, which several kinds have."""

from __future__ import annotations

from typing import Any


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def rate_row(title: str, result: dict[str, Any], key: str, prefix: str = "") -> str:
    """With the least and the greatest rate of several runs."""
    low, high = result["range"][key]
    spread = f" ({number(low)} to {number(high)})" if result["runs"] > 1 else ""
    times = "   ".join(
        f"{name} {number(result[f'{prefix}{column}'], 2)} ms"
        for name, column in (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))
        if f"{prefix}{column}" in result
    )
    return f"  {title:<22}{number(result[key]):>10} /s{spread}   {times}"


def cpu_rows(cpu_us: dict[str, float | None], of: str = "a message") -> list[str]:
    rows = [f"  CPU, us {of}"]
    rows += [f"    {kind:<20}{number(value, 1):>10}" for kind, value in cpu_us.items()]
    rows.append(f"    {'together':<20}{number(sum(v or 0 for v in cpu_us.values()), 1):>10}")
    return rows


def others_row(result: dict[str, Any]) -> str:
    return f"  others used {result['others_cpu']:.0%} of the machine's CPU meanwhile"
