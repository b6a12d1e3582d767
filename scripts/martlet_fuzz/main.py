"""Builds the targets of tests/fuzz with clang and lets libFuzzer run them, one after the other.

What it finds grows in .local/fuzz/<target>; --merge brings the inputs that reach something new into
tests/fuzz/corpus/<target>, which the ordinary tests replay.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from martlet_cluster import paths

CORPUS = paths.ROOT / "tests/fuzz/corpus"
WORK = paths.LOCAL / "fuzz"
CRASHES = WORK / "crashes"
BUILD = paths.ROOT / "build-fuzz"
# An input that takes longer, in seconds, or needs more memory, in MiB, is a finding.
TIMEOUT_S = 10
MEMORY_MIB = 2048
MAX_INPUT_BYTES = 2048
# Inputs of a target without a name of their own that are kept: the longest, which reach the most.
MAX_KEPT = 64


def targets() -> list[str]:
    return sorted(folder.name for folder in CORPUS.iterdir())


def build(names: list[str]) -> None:
    """Only the targets and what they need, with both sanitizers."""
    compiler = "ccache clang++" if shutil.which("ccache") else "clang++"
    environment = os.environ | {"CC": "clang", "CXX": compiler}
    if shutil.which("mold"):
        environment |= {"CC_LD": "mold", "CXX_LD": "mold"}
    if not (BUILD / "build.ninja").exists():
        setup = ["meson", "setup", str(BUILD), str(paths.ROOT), "--wrap-mode=nofallback"]
        options = ["fuzz=true", "werror=false", "b_sanitize=address,undefined", "b_lundef=false"]
        command = setup + [f"-D{option}" for option in options]
        subprocess.run(command, env=environment, check=True)
    programs = [f"tests/fuzz/fuzz_{name}" for name in names]
    subprocess.run(["ninja", "-C", str(BUILD), *programs], env=environment, check=True)


def run(name: str, seconds: int) -> bool:
    """False: an input broke it; the file is in CRASHES."""
    grown = WORK / name
    grown.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    print(f"fuzz: {name} for {seconds} s", flush=True)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={TIMEOUT_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-artifact_prefix={CRASHES}/{name}-",
        "-use_value_profile=1",
    ]
    log = WORK / f"{name}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [str(BUILD / f"tests/fuzz/fuzz_{name}"), *options, str(grown), str(CORPUS / name)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.nice(19),
            check=False,
        )
    lines = log.read_text(errors="replace").splitlines()
    if done.returncode == 0:
        print("fuzz: " + next((line for line in reversed(lines) if "DONE" in line), "done"))
        return True
    signs = ("assertion failed", "runtime error", "ERROR:", "Test unit written")
    for line in lines:
        if any(sign in line for sign in signs):
            print(f"fuzz: {line[:200]}")
    print(f"fuzz: {name} FAILED, see {log}")
    return False


def merge(name: str) -> None:
    """Adds inputs that reach something new; what was kept before comes first."""
    program, kept, grown = str(BUILD / f"tests/fuzz/fuzz_{name}"), CORPUS / name, WORK / name
    if not grown.exists():
        return
    before = len(list(kept.iterdir()))
    # How often something was reached does not count: the kept ones are to stay few.
    options = ["-merge=1", "-use_counters=0", f"-max_len={MAX_INPUT_BYTES}"]
    subprocess.run(
        [program, *options, str(kept), str(grown)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.nice(19),
        check=True,
    )
    unnamed = [path for path in kept.iterdir() if re.fullmatch("[0-9a-f]{40}", path.name)]
    for path in sorted(unnamed, key=lambda path: (path.stat().st_size, path.name))[:-MAX_KEPT]:
        path.unlink()
    print(f"fuzz: {name} has {len(list(kept.iterdir()))} inputs, {before} before")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev fuzz", description="Fuzzes the decoders; all targets by default."
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets()))
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target (default 1)")
    parser.add_argument(
        "--merge", action="store_true", help="then keep what was found in tests/fuzz/corpus"
    )
    options = parser.parse_args(arguments)
    for name in options.targets:
        if name not in targets():
            parser.error(f"no target {name}: there are {', '.join(targets())}")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    names = options.targets or targets()
    try:
        subprocess.run([str(paths.ROOT / "scripts/install"), "--clang"], check=True)
        build(names)
        good = [run(name, round(options.minutes * 60)) for name in names]
        if options.merge:
            for name in names:
                merge(name)
    except subprocess.CalledProcessError as error:
        print(f"fuzz: {Path(error.cmd[0]).name} failed", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"fuzz: {len(names)} targets, {good.count(False)} failed; inputs are in {CRASHES}")
    return 0 if all(good) else 1
