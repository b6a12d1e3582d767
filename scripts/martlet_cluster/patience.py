"""How much longer than usual everything may take: MARTLET_TEST_PATIENCE, a factor, for programs that
are slow on purpose, as those with a sanitizer. All limits of the harness and of the tests heed it."""

from __future__ import annotations

import os


def longer(timeout_s: float) -> float:
    return timeout_s * float(os.environ.get("MARTLET_TEST_PATIENCE") or 1)
