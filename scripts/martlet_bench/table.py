"""A result for people."""

from __future__ import annotations

from typing import Any


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def lines(result: dict[str, Any]) -> list[str]:
    pace = (
        f"{result['rate']:g} messages/s" if result["rate"] else f"{result['in_flight']} in flight"
    )
    rows = [
        f"{result['workload']}, ack {result['ack']}, {pace}, {result['users']} users, "
        f"{result['edges']} edge(s), {result['dispatchers']} dispatcher(s), "
        f"{result['seconds']:.1f} s",
        f"  {'acknowledged':<22}{_number(result['acked_per_s']):>10} /s   "
        f"p50 {_number(result['p50_ms'], 2)} ms   p99 {_number(result['p99_ms'], 2)} ms",
        f"  {'delivered':<22}{_number(result['delivered_per_s']):>10} /s   "
        f"p50 {_number(result['receive_p50_ms'], 2)} ms   "
        f"p99 {_number(result['receive_p99_ms'], 2)} ms",
        "  CPU, us a message",
    ]
    cpu = result["cpu_us"]
    rows += [f"    {kind:<20}{_number(value, 1):>10}" for kind, value in cpu.items()]
    rows.append(f"    {'together':<20}{_number(sum(v or 0 for v in cpu.values()), 1):>10}")
    if result["idle_bytes_per_connection"] is not None:
        rows.append("  memory, bytes an idle connection")
        for kind, value in result["idle_bytes_per_connection"].items():
            rows.append(f"    {kind:<20}{_number(value):>10}")
    rows.append(f"  all in the database {result['stored_after_s']} s after the window")
    rows.append(f"  others used {result['others_cpu']:.0%} of the machine's CPU meanwhile")
    names = ("lost", "doubled", "unordered", "refused", "unanswered", "resyncs")
    counts = ", ".join(f"{name} {result[name]}" for name in names)
    rows.append(f"  account: {result['sent']:,} sent, {result['acked']:,} acknowledged; {counts}")
    return rows


def is_clean(result: dict[str, Any]) -> bool:
    """Every message is where it belongs, once and in order."""
    return not any(result[name] for name in ("lost", "doubled", "unordered", "unanswered"))
