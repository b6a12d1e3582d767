"""Where things are: this checkout, the servers' programs, our own binaries."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from martlet_cluster.errors import ClusterError

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
CACHE = LOCAL / "cache"
SERVERS = LOCAL / "servers"


def build_dir() -> Path:
    return Path(os.environ.get("MARTLET_BUILD_DIR") or ROOT / "build").resolve()


def built(relative: str, build: Path | None = None) -> Path:
    """A program of ours, e.g. src/edge/martlet-edge; of another build directory than this checkout's."""
    path = (build or build_dir()) / relative
    if not path.exists():
        raise ClusterError(f"{path} is missing: run ./dev build")
    return path


def shown(path: Path) -> str:
    """As short as it can be typed."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + str(path.relative_to(base))
    return str(path)


def service_binary(kind: str, build: Path | None = None) -> Path:
    return built(f"src/{kind}/martlet-{kind}", build)


def server_binary(name: str) -> Path:
    """nats-server, redis-server, prometheus or promtool: unpacked by ./dev install, else the machine's."""
    search = f"{SERVERS / 'bin'}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=search)
    if found is None:
        raise ClusterError(f"{name} is missing: run ./dev install")
    return Path(found)


def postgres_bin() -> Path:
    """The folder with postgres, initdb and psql of the newest PostgreSQL there is."""
    roots = [SERVERS / "postgresql/usr/lib/postgresql", Path("/usr/lib/postgresql")]
    for root in roots:
        versions = [path.parent for path in root.glob("*/bin") if (path / "initdb").exists()]
        versions.sort(key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])
        if versions:
            return versions[-1] / "bin"
    raise ClusterError("PostgreSQL is missing: run ./dev install")
