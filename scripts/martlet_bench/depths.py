"""How much waits in the queues of the services, as their metrics tell it, while something runs."""

from __future__ import annotations

from collections.abc import Sequence

from martlet_bench import world
from martlet_bench.sampler import Row, Sampler
from martlet_cluster import Cluster
from martlet_cluster.service import Service

STEP_S = 0.1
MIB = 1024 * 1024
# edge.max_unanswered: then a connection is not read until one of its requests is answered.
MAX_UNANSWERED = 64

# By gauge.
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


class Depths(Sampler):
    """Reads these gauges, processes of one kind together."""

    def __init__(self, cluster: Cluster, gauges: Sequence[str]) -> None:
        self._services: Sequence[Service] = [
            *cluster.edges,
            *cluster.dispatchers,
            *cluster.persists,
        ]
        self._gauges = gauges
        super().__init__(STEP_S, self._read_gauges)

    def _read_gauges(self) -> Row:
        """Frames, entries, batches, or bytes."""
        row = dict.fromkeys(self._gauges, 0.0)
        for service in self._services:
            found = service.metrics()
            for gauge in self._gauges:
                row[gauge] += found.get(f"martlet_{gauge}", 0.0)
        return row
