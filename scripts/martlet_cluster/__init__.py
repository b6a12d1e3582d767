"""Starts, watches and stops private clusters of Martlet and the servers it needs.

The one program that does so: `./dev up`, the tests, and later bench and chaos use it, as a command
(scripts/cluster) or as a library:

    with Cluster(directory) as cluster:
        cluster.start()
        cluster.kill("dispatcher-1")
"""

from martlet_cluster.cluster import Cluster
from martlet_cluster.errors import ClusterError

__all__ = ["Cluster", "ClusterError"]
