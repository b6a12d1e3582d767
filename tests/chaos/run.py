"""One run: the cluster, the load, the nemesis, and the account of it."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from chaos import journal
from chaos.checker import ROWS, Account
from chaos.links import Links
from chaos.nemesis import Nemesis, now_ms
from chaos.population import Clients, Comings, Population, read_history
from chaos.report import Run
from chaos.timeline import Timeline
from chaos.victims import Victims
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.patience import longer

DRAIN_S = 120.0
SETTLED_S = 60.0
ROWS_FILE = "messages.csv"


def say(line: str) -> None:
    print(f"chaos: {line}", flush=True)


def play(options: argparse.Namespace, directory: Path) -> Run:
    """Leaves journals and rows in the directory; servers and clients are gone."""
    run = Run(options.seed, options.minutes, options.clients, options.rate, options.cluster)
    run.slowness = longer(1)
    cluster = make_cluster(directory / "cluster", is_nats_cluster=options.cluster)
    links = Links()
    with cluster:
        try:
            cluster.start_servers()
            links.place(cluster)
            cluster.start_services()
            play_on(cluster, links, run, directory)
        finally:
            links.close()
    return run


def make_cluster(directory: Path, *, is_nats_cluster: bool) -> Cluster:
    make = Cluster.replicated if is_nats_cluster else Cluster
    return make(directory, edges=3, dispatchers=2, persists=2)


def play_on(cluster: Cluster, links: Links, run: Run, directory: Path) -> None:
    population = Population(directory, links.client_addresses(cluster), run.clients)
    clients = Clients(population, directory, run.rate, run.seed)
    try:
        clients.start_all(cluster)
        say(f"{run.clients} clients are online")
        load(cluster, links, run, population, clients)
        problem = clients.drain(longer(DRAIN_S))
        if problem:
            run.problems.append(problem)
        say(problem or "all clients have settled")
    finally:
        clients.close()
    problem = read_history(population, cluster, directory / "fresh")
    if problem:
        run.problems.append(problem)
    say(problem or "new devices have read everything")
    keep_rows(cluster, directory)


def load(
    cluster: Cluster, links: Links, run: Run, population: Population, clients: Clients
) -> None:
    victims = Victims(cluster, clients, population.names)
    nemesis = Nemesis(victims, links, run.seed, say)
    comings = Comings(population, clients, run.seed)
    run.begin_ms = now_ms()
    clients.send()
    comings.start()
    try:
        nemesis.run(run.minutes * 60)
        cluster.wait_healthy(SETTLED_S)
    except ClusterError as error:
        run.problems.append(str(error))
    finally:
        comings.end()
        run.faults, run.kills = nemesis.faults, nemesis.kills
        run.problems += nemesis.problems + victims.deaths
        run.gave_up = victims.gave_up
    say(f"{len(run.faults)} faults, {run.kills.total()} kills; all is started again")
    run.end_ms = now_ms()


def keep_rows(cluster: Cluster, directory: Path) -> None:
    """The one direct read of the tables."""
    with (directory / ROWS_FILE).open("w", newline="") as file:
        csv.writer(file).writerows(cluster.psql(ROWS))


def examine(run: Run, directory: Path) -> tuple[Account, Timeline]:
    """From what lies in the directory alone."""
    account, timeline = Account(), Timeline()
    with (directory / ROWS_FILE).open(newline="") as file:
        account.read_rows(csv.reader(file))
    account.index_users()
    homes = homes_of(run, directory)
    for path in sorted((directory / "journals").glob("*.jsonl")):
        one = journal.read_file(path)
        account.add_journal(one)
        timeline.add(one, homes[one.name])
    for path in sorted((directory / "fresh" / "journals").glob("*.jsonl")):
        account.add_history_of(journal.read_file(path))
    account.finish()
    timeline.sort()
    return account, timeline


def homes_of(run: Run, directory: Path) -> dict[str, str]:
    """Which process of clients each device is in."""
    return Population(directory, ["nowhere"], run.clients).homes()
