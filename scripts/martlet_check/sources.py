"""Our own C++ files, as git knows them."""

from __future__ import annotations

import subprocess

from martlet_cluster import paths

FOLDERS = ("src", "tests", "bench", "examples")


def tracked(*suffixes: str) -> list[str]:
    command = ["git", "-C", str(paths.ROOT), "ls-files", "-z", "--", *FOLDERS]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name.endswith(suffixes) and (paths.ROOT / name).is_file()]
