"""PostgreSQL refuses to run as root. Root therefore runs it as nobody, or, where nobody cannot reach
the directory (a checkout below /root), in a user namespace in which root's own files are nobody's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from martlet_cluster.errors import ClusterError

NOBODY = 65534
_NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


def _as_nobody() -> list[str]:
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class PostgresUser:
    """How to run PostgreSQL's programs on data in a directory, which must exist."""

    def __init__(self, directory: Path) -> None:
        self.name = "self"
        self.prefix: list[str] = []
        if os.geteuid() != 0:
            return
        if _works([*_as_nobody(), "test", "-x", str(directory)]):
            self.name, self.prefix = "nobody", _as_nobody()
        elif _works([*_NAMESPACE, "test", "-x", str(directory)]):
            self.name, self.prefix = "namespace", _NAMESPACE
        else:
            raise ClusterError(
                f"PostgreSQL cannot run as root, and nobody cannot reach {directory}"
            )

    def own(self, path: Path) -> None:
        """Gives a file or a whole directory to the user that the programs will run as."""
        owner = NOBODY if self.name == "nobody" else os.geteuid()
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "-h", f"{owner}:{owner}", str(path)], check=True)
