"""What ./dev bench measures, by name. See docs/benchmarks.md."""

from __future__ import annotations

from martlet_bench import burst, floor, group, hot, messages, sockets
from martlet_bench.kind import Kind

WORKLOADS: dict[str, Kind] = {
    "floor": floor,
    "sockets": sockets,
    "group": group,
    "hot": hot,
    "burst": burst,
    **dict.fromkeys(messages.WORKLOADS, messages),
}
