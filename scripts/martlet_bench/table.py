"""A result for people."""

from __future__ import annotations

from typing import Any

from martlet_bench.workloads import FLOOR, Case


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def name_of(result: dict[str, Any]) -> str:
    return Case(*(result[key] for key in ("workload", "ack", "in_flight", "rate"))).name


def _rate_row(title: str, result: dict[str, Any], key: str, prefix: str) -> str:
    """With the least and the greatest rate of several runs."""
    low, high = result["range"][key]
    spread = f" ({_number(low)} to {_number(high)})" if result["runs"] > 1 else ""
    times = "   ".join(
        f"{name} {_number(result[f'{prefix}{column}'], 2)} ms"
        for name, column in (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))
        if f"{prefix}{column}" in result
    )
    return f"  {title:<22}{_number(result[key]):>10} /s{spread}   {times}"


def _floor_lines(result: dict[str, Any]) -> list[str]:
    return [
        f"floor, {result['in_flight']} in flight, {result['users']} users, "
        f"{result['seconds']:.1f} s x {result['runs']}",
        _rate_row("chat messages", result, "acked_per_s", ""),
        f"  {'raw core':<22}{_number(result['raw_core_per_s']):>10} /s",
        f"  others used {result['others_cpu']:.0%} of the machine's CPU meanwhile",
    ]


def lines(result: dict[str, Any]) -> list[str]:
    if result["workload"] == FLOOR:
        return _floor_lines(result)
    rows = [
        f"{name_of(result)}, {result['users']} users, "
        f"{result['edges']} edge(s), {result['dispatchers']} dispatcher(s), "
        f"{result['seconds']:.1f} s x {result['runs']}",
        _rate_row("acknowledged", result, "acked_per_s", ""),
        _rate_row("delivered", result, "delivered_per_s", "receive_"),
        "  CPU, us a message",
    ]
    cpu = result["cpu_us"]
    rows += [f"    {kind:<20}{_number(value, 1):>10}" for kind, value in cpu.items()]
    rows.append(f"    {'together':<20}{_number(sum(v or 0 for v in cpu.values()), 1):>10}")
    if result["share_of_floor"] is not None:
        rows.append(f"  {result['share_of_floor']:.2f} of the floor in the same run")
    if result["idle_bytes_per_connection"] is not None:
        rows.append("  memory, bytes an idle connection")
        for kind, value in result["idle_bytes_per_connection"].items():
            rows.append(f"    {kind:<20}{_number(value):>10}")
    late = "" if result["keeps_up"] else ": it does not keep up, the rate does not count"
    rows.append(f"  all in the database {result['stored_after_s']} s after the window{late}")
    rows.append(f"  others used {result['others_cpu']:.0%} of the machine's CPU meanwhile")
    names = ("lost", "doubled", "unordered", "refused", "unanswered", "resyncs")
    counts = ", ".join(f"{name} {result[name]}" for name in names)
    rows.append(f"  account: {result['sent']:,} sent, {result['acked']:,} acknowledged; {counts}")
    return rows


def is_clean(result: dict[str, Any]) -> bool:
    """Every message is where it belongs, once and in order."""
    if result["workload"] == FLOOR:
        return True
    return not any(result[name] for name in ("lost", "doubled", "unordered", "unanswered"))
