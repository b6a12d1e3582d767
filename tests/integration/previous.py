"""The programs of the version before, which tests/upgrade/previous names: built from its own sources, by its own
script, into a directory of its own. The compiler's cache has what both versions share, since the flags are the same."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import ROOT  # also makes the next line possible

from martlet_cluster import paths

KINDS = ("edge", "dispatcher", "persist", "api")
TOOL = "src/tools/martlet"
SWARM = "tests/support/swarm/martlet-swarm"
TARGETS = [*(f"src/{kind}/martlet-{kind}" for kind in KINDS), TOOL, SWARM]


def commit() -> str:
    return (ROOT / "tests/upgrade/previous").read_text().strip()


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _is_export() -> bool:
    """The sources of one version alone, as an archive of a release has them: nothing came before."""
    is_shallow = _git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    return not is_shallow and _git("rev-list", "--count", "HEAD").stdout.strip() in ("", "1")


def _fetch(name: str) -> None:
    """A shallow clone may not have it."""
    if _is_export():
        raise unittest.SkipTest("these sources have no history, so there is no version before")
    ways = (
        ["cat-file", "-e", f"{name}^{{commit}}"],
        ["fetch", "--quiet", "--depth", "1", "origin", name],
        ["fetch", "--quiet", "--unshallow", "origin"],
    )
    for way in ways:
        _git(*way)
        if _git(*ways[0]).returncode == 0:
            return
    raise AssertionError(
        f"commit {name} of tests/upgrade/previous is not in this clone, and origin does not give it: "
        "clone with the whole history, or run git fetch --unshallow"
    )


def unpack(source: Path) -> Path:
    """Its sources, in a directory that does not exist yet."""
    name = commit()
    _fetch(name)
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        archive, tree = Path(scratch, "tree.tar"), Path(scratch, "tree")
        command = ["git", "-C", str(ROOT), "archive", "--output", str(archive), name]
        subprocess.run(command, check=True)
        tree.mkdir()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(tree)], check=True)
        tree.rename(source)  # whole or not at all
    return source


def built() -> Path:
    """Its build directory. Warm this takes seconds, with an empty cache as long as a build of everything needed."""
    home = paths.LOCAL / "previous" / commit()
    build = home / "source/build"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "source").exists():
            unpack(home / "source")
        variables = {key: value for key, value in os.environ.items() if key != "MARTLET_BUILD_SANITIZE"}
        # Within its sources, as ours is: the compiler is told the same relative paths, so that its cache answers.
        variables |= {"MARTLET_BUILD_DIR": str(build), "CI": "1"}
        command = ["nice", "-n", "5", str(home / "source/scripts/build"), "-j2", *TARGETS]
        subprocess.run(command, check=True, env=variables)
    return build
