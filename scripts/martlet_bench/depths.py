"""How much waits in the queues of the services, as their metrics tell it, while something runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from martlet_bench import world
from martlet_cluster import Cluster
from martlet_cluster.service import Service

STEP_S = 0.1
MIB = 1024 * 1024
# edge.max_unanswered: then a connection is not read until one of its requests is answered.
MAX_UNANSWERED = 64

# By gauge: frames, entries, batches, or bytes.
Row = dict[str, float]
Bounds = dict[str, float | None]


def bounds(cluster: Cluster, connections: int) -> Bounds:
    """How much may wait in all processes together, by the defaults that docs/operations.md lists for
    a connection or a shard. None: the log and the database take what there is room for."""
    edge_shards = len(cluster.edges) * world.SHARDS
    dispatcher_shards = len(cluster.dispatchers) * world.SHARDS
    return {
        # edge.max_unanswered_per_shard
        "edge_unanswered": min(4096 * edge_shards, MAX_UNANSWERED * connections),
        "edge_unanswered_bytes": 16 * MIB * edge_shards,  # edge.max_unanswered_bytes_per_shard
        "edge_output_queue_bytes": 5 * MIB * connections,  # edge.output_limit_bytes
        "dispatcher_parking": 1000 * dispatcher_shards,  # dispatcher.parked_frames
        "dispatcher_queue": 20_000 * dispatcher_shards,  # dispatcher.queued_entries
        "persist_lag_batches": None,
    }


class Depths:
    """Reads these gauges until it is closed, on a thread of its own. rows: at_s is monotonic."""

    def __init__(self, cluster: Cluster, gauges: Sequence[str]) -> None:
        self._services: Sequence[Service] = [
            *cluster.edges,
            *cluster.dispatchers,
            *cluster.persists,
        ]
        self._gauges = gauges
        self.rows: list[Row] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            row: Row = {"at_s": time.monotonic(), **dict.fromkeys(self._gauges, 0.0)}
            for service in self._services:
                found = service.metrics()
                for gauge in self._gauges:
                    row[gauge] += found.get(f"martlet_{gauge}", 0.0)
            self.rows.append(row)
            due = max(due + STEP_S, time.monotonic())

    def since(self, begin: float) -> list[Row]:
        """The rows from then on, with at_s after it."""
        return [
            {**row, "at_s": round(row["at_s"] - begin, 2)}
            for row in self.rows
            if row["at_s"] >= begin
        ]

    def __enter__(self) -> Depths:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
