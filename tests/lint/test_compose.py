"""What compose/compose.yaml says must hold together with what the services make of it."""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose/compose.yaml"
LIMITS = ROOT / "src/edge/limits.h"


def number(text: str, pattern: str) -> int:
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise AssertionError(f"{pattern} is there {len(found)} times")
    return int(found[0])


def share(part: str) -> int:
    """Of a stop, in hundredths, which the edge gives to a part of it."""
    return number(LIMITS.read_text(), rf"kStop{part}Share = (\d+);")


def service(text: str, name: str) -> str:
    """The lines of one service."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert found is not None, name
    return found[1]


def complaints(text: str) -> list[str]:
    """Why an edge would be killed before its clients have gone, empty if it is not."""
    stop_ms = number(text, r'MARTLET_STOP_TIMEOUT_MS: "(\d+)"')
    delay_ms = number(text, r'MARTLET_EDGE_DRAIN_DELAY_MS: "(\d+)"')
    window_ms = 1000 * number(text, r'MARTLET_EDGE_DRAIN_WINDOW_S: "(\d+)"')
    grace_ms = 1000 * number(service(text, "edge"), r"stop_grace_period: (\d+)s")
    found = []
    if grace_ms <= stop_ms:
        found.append(f"stop_grace_period {grace_ms} ms is not longer than the stop, {stop_ms} ms")
    if 100 * window_ms > share("Window") * stop_ms:
        found.append(f"the window, {window_ms} ms, would be cut short by the stop, {stop_ms} ms")
    if 100 * delay_ms > share("Delay") * stop_ms:
        found.append(f"the delay, {delay_ms} ms, would be cut short by the stop, {stop_ms} ms")
    return found


class Compose(unittest.TestCase):
    def test_an_edge_has_time_to_send_its_clients_away(self) -> None:
        self.assertEqual(complaints(COMPOSE.read_text()), [])

    def test_too_little_time_is_found(self) -> None:
        good = COMPOSE.read_text()
        for was, instead in (
            ('STOP_TIMEOUT_MS: "30000"', 'STOP_TIMEOUT_MS: "40000"'),
            ('DRAIN_WINDOW_S: "10"', 'DRAIN_WINDOW_S: "13"'),
            ('DRAIN_DELAY_MS: "2000"', 'DRAIN_DELAY_MS: "3001"'),
        ):
            self.assertIn(was, good)
            self.assertEqual(len(complaints(good.replace(was, instead))), 1, instead)


if __name__ == "__main__":
    sys.exit(unittest.main())
