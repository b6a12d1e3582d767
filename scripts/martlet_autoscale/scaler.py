"""Adds and removes edges as the api asks: what an orchestrator does, in forty lines."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

from martlet_autoscale.crowd import Crowd
from martlet_cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until

Row = dict[str, Any]
PERIOD_S = 1.0


class Scaler:
    """One thread that looks and writes down, and one that adds or removes an edge at a time."""

    def __init__(self, cluster: Cluster, crowd: Crowd) -> None:
        self._cluster = cluster
        self._crowd = crowd
        self._rows: list[Row] = []
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(turn,), daemon=True)
            for turn in (self._look, self._act)
        ]

    def __enter__(self) -> Scaler:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def stop(self) -> list[Row]:
        self.__exit__()
        if self._failure is not None:
            raise ClusterError(f"the scaler failed: {self._failure}") from self._failure
        return self._rows

    def wait_for_one_edge(self, timeout_s: float) -> None:
        def is_alone() -> bool:
            return len(self._cluster.edges) == 1 and self._rows[-1]["edges"] == 1

        if not wait_until(is_alone, timeout_s, step_s=0.5):
            raise ClusterError(f"there are still {len(self._cluster.edges)} edges")

    def _guarded(self, turn: Any) -> None:
        try:
            while not self._over.wait(PERIOD_S):
                # An api that does not answer once is asked again.
                with contextlib.suppress(OSError):
                    turn()
        except Exception as failure:  # told by stop()
            self._failure = failure

    def _scale(self) -> dict[str, Any]:
        return dict(json.loads(self._cluster.apis[0].get("/v1/scale")[1]))

    def _look(self) -> None:
        scale = self._scale()
        self._rows.append(
            {
                "at_ms": time.clock_gettime(time.CLOCK_MONOTONIC) * 1e3,
                "clients": self._crowd.clients,
                "desired": scale["desired_edges"],
                "edges": scale["live_edges"],
                "reason": scale["reason"],
            }
        )

    def _act(self) -> None:
        desired, running = int(self._scale()["desired_edges"]), self._cluster.edges
        if desired > len(running):
            self._cluster.add("edge")
        elif 0 < desired < len(running):
            self._cluster.remove(running[-1].name)
