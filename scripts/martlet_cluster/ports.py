"""Free loopback ports.

They are taken from below the range that the kernel uses for outgoing connections: a client that
tries to reach a killed server again and again would otherwise, sooner or later, be given the
server's own port, and the server could not come back to it.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until

HOST = "127.0.0.1"
LOWEST = 10000
_given: set[int] = set()  # by this process: nobody may listen there yet


def _outgoing_range_start() -> int:
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    return int(text.split()[0])


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            return True
        except OSError:
            return False


def _system_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def free_port() -> int:
    end = _outgoing_range_start()
    if end - LOWEST < 1000:
        return _system_port()
    for _ in range(200):
        port = random.randrange(LOWEST, end)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise ClusterError(f"no free port between {LOWEST} and {end}")


def wait_free(port: int, timeout_s: float) -> bool:
    return wait_until(lambda: is_free(port), timeout_s)
