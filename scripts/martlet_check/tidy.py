"""clang-tidy on what we ship, as many files at a time as there are cores. A file that passed is not
looked at again, in any checkout, until it, a header that it includes, its compile command or the
rules change. Tests are left out: they would double the time."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from martlet_cluster import paths
from martlet_check.sources import tracked

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "martlet/clang-tidy"
FOLDERS = ("src/", "bench/", "examples/")
# clang does not know these flags of gcc.
UNKNOWN_TO_CLANG = ("-fuse-ld=", "-Wno-maybe-uninitialized", "-Wno-dangling-reference")


def program() -> str | None:
    return shutil.which("clang-tidy-14") or shutil.which("clang-tidy")


def _entries(build: Path) -> dict[str, dict[str, Any]]:
    """Compile commands of tracked files, by name in the checkout."""
    commands = json.loads((build / "compile_commands.json").read_text())
    wanted = {name for name in tracked(".cc") if name.startswith(FOLDERS)}
    found = {}
    for entry in commands:
        name = os.path.relpath(Path(entry["directory"], entry["file"]).resolve(), paths.ROOT)
        if name in wanted:
            found[name] = entry
    return found


def _headers(build: Path) -> dict[str, list[str]]:
    """What each object file was made from, as ninja recorded it."""
    done = subprocess.run(
        ["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in done.stdout.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = found.setdefault(line.partition(": #deps")[0], [])
    return found


def _key(entry: dict[str, Any], headers: list[str], rules: bytes) -> str:
    """Headers of the system count by name and time, ours by content."""
    digest = hashlib.sha256(rules)
    digest.update(entry["command"].encode())
    for header in sorted([*headers, entry["file"]]):
        path = Path(entry["directory"], header).resolve()
        if path.is_relative_to("/usr"):
            digest.update(f"{path} {path.stat().st_mtime_ns}".encode())
        else:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _run(tool: str, entry: dict[str, Any]) -> str:
    """What it complains about; empty when the file is clean."""
    words = shlex.split(entry["command"])
    while words and (words[0].endswith("ccache") or "=" in words[0]):
        del words[0]
    words = [word for word in words if not word.startswith(UNKNOWN_TO_CLANG)]
    config = f"--config-file={paths.ROOT / '.clang-tidy'}"
    done = subprocess.run(
        [tool, "--quiet", config, entry["file"], "--", *words[1:], "-Wno-unknown-warning-option"],
        cwd=entry["directory"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check() -> bool:
    tool = program()
    build = paths.build_dir()
    if tool is None:
        print("check: clang-tidy is missing: run ./dev install --check")
        return False
    version = subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
    rules = version + (paths.ROOT / ".clang-tidy").read_bytes()
    headers = _headers(build)
    todo = {}
    for name, entry in _entries(build).items():
        mark = CACHE / _key(entry, headers.get(entry["output"], []), rules)
        if not mark.exists():
            todo[name] = (entry, mark)
    print(f"check: clang-tidy has {len(todo)} files to look at", flush=True)
    return _check_files(tool, todo)


def _check_files(tool: str, todo: dict[str, tuple[dict[str, Any], Path]]) -> bool:
    CACHE.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    clean = True

    def one(name: str) -> tuple[str, str]:
        return name, _run(tool, todo[name][0])

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for number, (name, complaints) in enumerate(pool.map(one, todo), 1):
            if complaints:
                clean = False
                print(f"{name}\n{complaints}", flush=True)
            else:
                todo[name][1].touch()
            if number % 20 == 0:
                print(f"check: {number} files, {time.monotonic() - begin:.0f} s", flush=True)
    return clean
