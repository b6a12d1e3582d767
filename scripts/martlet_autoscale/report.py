"""What came of it: edges, clients, latency and losses, second by second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from martlet_bench import table

STEP_S = 5
WIDTH = 40
# The api promises no change of direction within so long.
TURN_S = 30.0


def make(
    rows: Sequence[dict[str, Any]], journals: Sequence[Path], problems: Sequence[str]
) -> dict[str, Any]:
    begin = rows[0]["at_ms"]
    acks, delivered = read_acks(journals)
    seconds: list[dict[str, Any]] = []
    for row in rows:
        at = int((row["at_ms"] - begin) // 1000)
        times = sorted(acks.get(int(row["at_ms"] // 1000), []))
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))] if times else None
        seconds.append({**row, "at_s": at, "acked": len(times), "p99_ms": p99})
    everything = sorted(ms for times in acks.values() for ms in times)
    return {
        "rows": seconds,
        "changes": changes(seconds),
        "edges_most": max(row["edges"] for row in seconds),
        "edges_last": seconds[-1]["edges"],
        "shortest_turn_s": shortest_turn(changes(seconds)),
        "acknowledged": len(everything),
        "delivered": delivered,
        "p50_ms": everything[len(everything) // 2],
        "p99_ms": everything[int(len(everything) * 0.99)],
        "problems": len(problems),
        "first_problems": list(problems[:20]),
    }


def read_acks(journals: Sequence[Path]) -> tuple[dict[int, list[float]], int]:
    """By second of the journals' clock: how long acknowledgements took. And messages shown."""
    acks: dict[int, list[float]] = {}
    delivered = 0
    for file in journals:
        for text in file.read_text(encoding="utf-8").split("\n")[:-1]:
            line = json.loads(text)
            if line["e"] == "acked":
                acks.setdefault(int(line["at"] // 1000), []).append(float(line["ms"]))
            delivered += line["e"] == "received"
    return acks, delivered


def changes(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of what the api asks for."""
    return [
        {"at_s": after["at_s"], "from": before["desired"], "to": after["desired"]}
        for before, after in zip(rows, rows[1:], strict=False)
        if before["desired"] != after["desired"] and before["desired"] > 0
    ]


def shortest_turn(made: Sequence[dict[str, Any]]) -> float | None:
    """Seconds between two changes in different directions; none: it never turned."""
    turns = [
        after["at_s"] - before["at_s"]
        for before, after in zip(made, made[1:], strict=False)
        if (before["to"] > before["from"]) != (after["to"] > after["from"])
    ]
    return min(turns, default=None)


def lines(result: dict[str, Any]) -> list[str]:
    most = max(row["clients"] for row in result["rows"]) or 1
    out = [f"  {'s':>5} {'clients':>8} {'edges':>6} {'asked':>6} {'acked/s':>8} {'p99, ms':>8}"]
    for row in result["rows"][::STEP_S]:
        bar = "#" * round(WIDTH * row["clients"] / most)
        p99 = "-" if row["p99_ms"] is None else f"{row['p99_ms']:.1f}"
        out.append(
            f"  {row['at_s']:>5} {row['clients']:>8,} {row['edges']:>6} {row['desired']:>6} "
            f"{row['acked']:>8,} {p99:>8} |{bar}"
        )
    steps = ", ".join(f"{one['from']} to {one['to']} at {one['at_s']} s" for one in result["changes"])
    turn = result["shortest_turn_s"]
    return [
        *out,
        f"  edges asked for: {steps}; between two directions {turn if turn is None else f'{turn} s'}",
        f"  acknowledged {table.number(result['acknowledged'])} in {result['p50_ms']:.1f} ms (p50), "
        f"{result['p99_ms']:.1f} ms (p99); delivered {table.number(result['delivered'])}; "
        f"problems {result['problems']}",
        *(f"    {problem}" for problem in result["first_problems"]),
    ]


def is_good(result: dict[str, Any]) -> bool:
    turn = result["shortest_turn_s"]
    # Rows are a second apart.
    return not result["problems"] and (turn is None or turn >= TURN_S - 2)
