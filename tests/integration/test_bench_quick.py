"""./dev bench --quick notices what has become slower, and nothing else."""

from __future__ import annotations

import copy
import io
import json
import unittest
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from support import new_directory

from martlet_bench import quick
from martlet_bench.main import chosen, parse
from martlet_cluster import ClusterError

Rounds = list[list[dict[str, Any]]]
CPU_US = {"edge": 20.0, "dispatcher": 15.0, "persist": 18.0, "nats": 25.0, "postgres": 30.0}


def round_of(share: float = 0.3, **cpu_us: float) -> list[dict[str, Any]]:
    """The floor and the two workloads; what is named costs so much in one of them."""
    floor = {"workload": "floor", "cpu_us": {"floor": 10.0}}
    warm = {"workload": "one-to-one-warm", "share_of_floor": share, "cpu_us": {**CPU_US, **cpu_us}}
    cold = {"workload": "one-to-one", "share_of_floor": 0.2, "cpu_us": CPU_US}
    return [floor, warm, cold]


class Quick(unittest.TestCase):
    def setUp(self) -> None:
        self.file = new_directory("quick") / "baseline.json"
        self.judge([round_of()] * 3, update=True)

    def judge(self, rounds: Rounds, *, update: bool = False) -> tuple[bool, str]:
        with redirect_stdout(io.StringIO()) as said:
            is_fine = quick.judge(rounds, update=update, file=self.file)
        return is_fine, said.getvalue()

    def slower(self, *rounds: list[dict[str, Any]]) -> list[str]:
        is_fine, said = self.judge(list(rounds))
        lines = [line.split("%: ")[1] for line in said.splitlines() if "slower by more" in line]
        self.assertEqual(is_fine, not lines)
        return [line.split(" was ")[0] for line in lines]

    def test_the_same_and_what_is_better_is_fine(self) -> None:
        self.assertEqual(self.slower(*[round_of()] * 3), [])
        self.assertEqual(self.slower(*[round_of(0.6, edge=5, nats=25)] * 3), [])

    def test_a_quarter_is_the_border(self) -> None:
        self.assertEqual(self.slower(*[round_of(0.3 / 1.24, edge=20 * 1.24)] * 3), [])
        found = self.slower(*[round_of(0.3 / 1.26)] * 3)
        self.assertEqual(found, ["one-to-one-warm: share_of_floor"])

    def test_every_process_that_costs_more_is_named(self) -> None:
        for kind in quick.OURS:
            with self.subTest(kind=kind):
                found = self.slower(*[round_of(**{kind: CPU_US[kind] * 1.3})] * 3)
                self.assertEqual(found, [f"one-to-one-warm: {kind}_cpu_of_nats"])
        # All of it: what everything else is held against, too.
        dearer = {kind: us * 1.3 for kind, us in CPU_US.items()}
        found = self.slower(*[round_of(**dearer)] * 3)
        self.assertEqual(found, ["one-to-one-warm: nats_cpu_of_floor"])

    def test_one_noisy_round_of_three_does_not_count(self) -> None:
        noisy = round_of(0.1, **{**{kind: us * 2 for kind, us in CPU_US.items()}, "edge": 100})
        self.assertEqual(self.slower(round_of(), noisy, round_of()), [])

    def test_what_is_no_baseline_is_said(self) -> None:
        whole = json.loads(self.file.read_text())
        part = copy.deepcopy(whole)
        del part["one-to-one"]["edge_cpu_of_nats"]
        for text in ("", "{}", json.dumps(part)):
            self.file.write_text(text)
            with self.assertRaisesRegex(ClusterError, "is no baseline, --update writes one"):
                self.judge([round_of()])

    def test_it_has_workloads_of_its_own(self) -> None:
        for words, complaint in (
            ((), "workloads, or --quick"),
            (("--quick", "pairs"), "workloads, or --quick"),
            (("pairs", "--update"), "--update goes with --quick"),
        ):
            with redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
                parse(list(words))
            self.assertIn(complaint, said.getvalue())
        options = parse(["--quick", "--seconds", "100", "--only", "rate=7"])
        self.assertEqual((options.seconds, len(chosen(options))), (4.0, 3))

    def test_the_one_that_is_kept_is_whole(self) -> None:
        self.assertEqual(list(quick.read(quick.BASELINE)), quick.PRESET["workloads"][1:])


if __name__ == "__main__":
    unittest.main()
