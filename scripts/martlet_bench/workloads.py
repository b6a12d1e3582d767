"""What ./dev bench measures, by name. See docs/benchmarks.md."""

from __future__ import annotations

from martlet_bench import backlog, floor, group, hot, idle, login, messages, offline, sockets
from martlet_bench.kind import Kind

WORKLOADS: dict[str, Kind] = {
    "backlog": backlog,
    "floor": floor,
    "idle": idle,
    "login": login,
    "offline": offline,
    "sockets": sockets,
    "group": group,
    "hot": hot,
    **dict.fromkeys(messages.WORKLOADS, messages),
}
