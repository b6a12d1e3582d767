"""The demonstration that ./dev up plays with the command line client."""

from __future__ import annotations

from martlet_cluster.cluster import Cluster


def play(cluster: Cluster) -> None:
    """Raises ClusterError when a line that should be there is not."""
