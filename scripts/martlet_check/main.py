"""Runs the checks and says which failed, with the time of each."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from martlet_cluster import paths
from martlet_check import format as formatting
from martlet_check import tidy


def _script(*command: str, **variables: str) -> bool:
    program = str(paths.ROOT / "scripts" / command[0])
    environment = {**os.environ, **variables}
    return subprocess.run([program, *command[1:]], env=environment, check=False).returncode == 0


def _rules() -> bool:
    return _script("test", "--lint", "--no-build")


def _warnings() -> bool:
    """A build directory that lets warnings pass is told not to; one that never did has nothing to do."""
    build = str(paths.build_dir())
    if not _script("build", "build.ninja", MARTLET_BUILD_WERROR="1"):
        return False
    options = subprocess.run(
        ["meson", "introspect", "--buildoptions", build], capture_output=True, text=True, check=True
    ).stdout
    if not {option["name"]: option["value"] for option in json.loads(options)}["werror"]:
        if (
            subprocess.run(["meson", "configure", build, "-Dwerror=true"], check=False).returncode
            != 0
        ):
            return False
    return _script("build")


def _tidy() -> bool:
    """Generated headers must be there."""
    return _script("build") and tidy.check()


CHECKS: dict[str, Callable[[], bool]] = {
    "format": formatting.check,
    "rules": _rules,
    "warnings": _warnings,
    "tidy": _tidy,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="dev check", description="All checks by default.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    names = parser.parse_args(arguments).names or list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        parser.error(f"no check {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    if not _script("install", "--check"):
        return 1
    failed = []
    for name in names:
        print(f"check: {name}", flush=True)
        begin = time.monotonic()
        if not CHECKS[name]():
            failed.append(name)
        print(f"check: {name} took {time.monotonic() - begin:.0f} s", flush=True)
    if failed:
        print(f"check: failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    print("check: all passed")
    return 0
