"""What ./dev bench measures, by name. See docs/benchmarks.md."""

from __future__ import annotations

from martlet_bench import (
    backlog,
    burst,
    floor,
    group,
    history,
    hot,
    idle,
    login,
    messages,
    moves,
    offline,
    scale,
    sockets,
    steady,
    subjects,
    trace,
)
from martlet_bench.kind import Kind

WORKLOADS: dict[str, Kind] = {
    "backlog": backlog,
    "burst": burst,
    "floor": floor,
    "group": group,
    "history": history,
    "hot": hot,
    "idle": idle,
    "login": login,
    "moves": moves,
    "offline": offline,
    "scale": scale,
    "sockets": sockets,
    "steady": steady,
    "subjects": subjects,
    "trace": trace,
    **dict.fromkeys(messages.WORKLOADS, messages),
}
