"""Data directories of PostgreSQL. initdb takes seconds, so it runs once per version and user; every
cluster gets a copy and a password of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from martlet_cluster import paths
from martlet_cluster.errors import ClusterError
from martlet_cluster.postgres_user import PostgresUser

SUPERUSER = "martlet"
DATABASE = "martlet"
# Raised when what initdb is told changes.
TEMPLATE_VERSION = 1


def run(user: PostgresUser, command: list[str], text: str | None = None) -> None:
    done = subprocess.run(
        [*user.prefix, *command],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode != 0:
        raise ClusterError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}".rstrip())


def single_user(user: PostgresUser, data: Path, sql: str) -> None:
    """Runs SQL on a stopped server's data; needs no password."""
    program = str(paths.postgres_bin() / "postgres")
    options = ["-c", "log_statement=none", "-c", "log_min_messages=fatal"]
    run(user, [program, "--single", *options, "-D", str(data), "postgres"], sql + "\n")


def _make_template(user: PostgresUser, parent: Path) -> None:
    user.own(parent)
    data = parent / "data"
    password_file = parent / "password"
    password_file.write_text(secrets.token_hex(16))
    user.own(password_file)
    initdb = str(paths.postgres_bin() / "initdb")
    options = [
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    ]
    who = ["-U", SUPERUSER, f"--pwfile={password_file}"]
    run(user, [initdb, "-D", str(data), *who, *options])
    password_file.unlink()
    single_user(user, data, f"CREATE DATABASE {DATABASE}")


def template() -> Path:
    """Another process may make the same one meanwhile: the first rename wins."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    user = PostgresUser(paths.CACHE)
    version = paths.postgres_bin().parent.name
    final = paths.CACHE / f"postgres-{version}-{user.name}-{os.geteuid()}-{TEMPLATE_VERSION}"
    if final.exists():
        return final / "data"
    fresh = Path(tempfile.mkdtemp(prefix="postgres-new-", dir=paths.CACHE))
    try:
        _make_template(user, fresh)
        fresh.rename(final)
    except OSError:
        if not final.exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return final / "data"


def make_data(user: PostgresUser, data: Path, password: str) -> None:
    """Complete or absent: the copy gets its name last."""
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    source = template()
    done = subprocess.run(["cp", "-a", "--reflink=auto", source, fresh], check=False)
    if done.returncode != 0:
        raise ClusterError(f"copying {source} to {fresh} failed")
    user.own(fresh)
    single_user(user, fresh, f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'")
    fresh.rename(data)
