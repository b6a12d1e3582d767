"""The cluster that is measured, and the people in it."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from martlet_cluster import Cluster, paths
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until
from martlet_cluster.service import Service

# What protects a server from one client also stops a generator with few connections that send much:
# such limits are lifted here, and nowhere else. Everything that is not named has its default.
SETTINGS: dict[str, dict[str, Any]] = {
    "edge": {
        "edge.frames_per_second": 0,
        "edge.user_frames_per_second": 0,
        # All connections come from 16 addresses (bench/crowd.h), at once.
        "edge.address_connects_per_second": 0,
        "edge.address_logins_per_second": 0,
        "edge.max_connections_per_address": 0,
        "edge.max_strangers_per_address": 0,
        "edge.max_strangers": 20_000,
    },
    "dispatcher": {
        "dispatcher.sender_deliveries_per_s": 0,
        "dispatcher.group_deliveries_per_s": 0,
    },
    "persist": {},
}

# The default of a cluster.
SHARDS = 16

# Where nobody signs in by password: the generator signs tokens with the cluster's key.
NO_PASSWORD = "nobody"


def build_type(*, must_be_optimised: bool) -> str:
    """Of the build directory; figures of one that is not optimised mean nothing."""
    where = paths.shown(paths.build_dir())
    command = ["meson", "introspect", "--buildoptions", str(paths.build_dir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{where} is no build directory: run ./dev build")
    options = {option["name"]: option["value"] for option in json.loads(done.stdout)}
    optimised = options["optimization"] in ("2", "3") and options["b_sanitize"] == "none"
    if must_be_optimised and not optimised:
        raise ClusterError(
            f"{where} is not optimised (optimization {options['optimization']}, sanitizer "
            f"{options['b_sanitize']}); --any-build takes it all the same"
        )
    return str(options["buildtype"])


def make_cluster(
    directory: Path, options: argparse.Namespace, settings: dict[str, dict[str, Any]]
) -> Cluster:
    """settings: by kind of service, what differs from the defaults, besides options.set."""
    settings = {kind: dict(own) for kind, own in settings.items()}
    for text in options.set:
        key, _, value = text.partition("=")
        service, _, key = key.rpartition(":")
        for kind in (service,) if service else ("edge", "dispatcher", "persist"):
            settings.setdefault(kind, {})[key] = value
    shape = {"edges": options.edges, "dispatchers": options.dispatchers}
    make = Cluster if options.nats == 1 else Cluster.replicated
    return make(directory, overrides=settings, **shape)


def wait_served(cluster: Cluster, timeout_s: float) -> None:
    """Every shard has its owner and is followed, and no owner will give one to another: processes are
    healthy a moment before that, and what is sent meanwhile waits for a take-over."""

    def is_shared_out(services: Sequence[Service], series: str) -> bool:
        shares = [service.metrics().get(series, 0) for service in services]
        return sum(shares) == SHARDS and max(shares) - min(shares) <= 1

    def is_served() -> bool:
        return is_shared_out(
            cluster.dispatchers, "martlet_dispatcher_shards_serving"
        ) and is_shared_out(cluster.persists, "martlet_persist_shards_followed")

    if not wait_until(is_served, timeout_s, step_s=0.05):
        raise ClusterError(f"the shards are not all served and shared out within {timeout_s:g} s")


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:05}" for number in range(count)]


def add_accounts(
    cluster: Cluster, users: Sequence[str], password_hash: str = NO_PASSWORD
) -> None:
    rows = ",".join(f"('{user}', '{password_hash}', 0)" for user in users)
    if rows:
        cluster.psql(f"INSERT INTO accounts (user_id, password_hash, created_ms) VALUES {rows};")


@contextmanager
def served(
    directory: Path, options: argparse.Namespace, users: Sequence[str], patience_s: float
) -> Iterator[Cluster]:
    """A fresh cluster below the directory, with these accounts, that takes messages."""
    with make_cluster(directory / "cluster", options, SETTINGS) as cluster:
        cluster.start()
        wait_served(cluster, patience_s)
        add_accounts(cluster, users)
        yield cluster


def stored_messages(cluster: Cluster) -> int:
    return int(cluster.psql("SELECT count(*) FROM messages WHERE content IS NOT NULL;")[0][0])


def stored_by_persist(cluster: Cluster) -> int:
    """Messages since it started, by what it says itself: costs less to ask than the database."""
    series = "martlet_persist_applied_messages_total"
    return int(sum(persist.metrics().get(series, 0) for persist in cluster.persists))
