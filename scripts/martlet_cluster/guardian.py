"""Ends a cluster when the process that owns it is gone, however it went.

Started by the owner with the reading end of a pipe as standard input; the kernel closes the pipe
with the owner. (A parent-death signal would depend on the thread that forked and is lost when a
child changes its user.)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DISMISSED = b"dismissed"


class Guardian:
    """The owner's side."""

    def __init__(self, directory: Path) -> None:
        package_parent = Path(__file__).resolve().parents[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "martlet_cluster.guardian", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(package_parent)},
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Only when the cluster is stopped."""
        self._process.communicate(DISMISSED)


def main() -> None:
    if sys.stdin.buffer.read() == DISMISSED:
        return
    from martlet_cluster.cluster import Cluster

    cluster = Cluster.load(Path(sys.argv[1]))
    if cluster is not None:
        cluster.stop(abort=True)


if __name__ == "__main__":
    main()
