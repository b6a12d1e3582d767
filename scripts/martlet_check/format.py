"""clang-format, in the version that the sources are laid out by."""

from __future__ import annotations

import shutil
import subprocess

from martlet_cluster import paths
from martlet_check.sources import tracked

VERSION = "14"


def check() -> bool:
    program = shutil.which(f"clang-format-{VERSION}")
    if program is None:
        print(
            f"check: clang-format-{VERSION} is not here; other versions differ, so format is not checked"
        )
        return True
    files = tracked(".h", ".cc")
    command = [program, "--dry-run", "-Werror", *files]
    return not files or subprocess.run(command, cwd=paths.ROOT, check=False).returncode == 0
