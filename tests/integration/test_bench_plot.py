"""The plots of ./dev bench: a bar a case, where several share an axis."""

from __future__ import annotations

import unittest

from support import ROOT  # noqa: F401 - makes the next line possible

from martlet_bench.plot import WIDTH, plots


def case(workload: str, ack: str, rate: float, p99_ms: float) -> dict[str, object]:
    return {"workload": workload, "ack": ack, "rate": rate, "in_flight": None, "p99_ms": p99_ms}


class Plots(unittest.TestCase):
    def test_a_bar_a_case_in_order_and_as_long_as_its_figure(self) -> None:
        results = [case("pairs", "logged", 2000, 40), case("pairs", "logged", 500, 10)]
        lines = plots([*results, case("pairs", "stored", 500, 99)])
        self.assertEqual(lines[0], "pairs, logged: p99_ms by rate")
        self.assertEqual([line.split("|")[0].strip() for line in lines[1:]], ["500", "2,000"])
        self.assertEqual([line.count("#") for line in lines[1:]], [round(WIDTH / 4), WIDTH])
        self.assertTrue(lines[2].endswith(" 40.0"))

    def test_groups_of_another_size_have_a_plot_of_their_own(self) -> None:
        results = [
            {"workload": "group", "size": size, "ack": "logged", "in_flight": n, "acked_per_s": n}
            for size in (100, 500)
            for n in (64, 512)
        ]
        titles = [line for line in plots(results) if "|" not in line]
        wanted = [f"group, {size}, logged: acked_per_s by in_flight" for size in (100, 500)]
        self.assertEqual(titles, wanted)

    def test_nothing_of_one_case_or_of_none(self) -> None:
        self.assertEqual(plots([case("pairs", "logged", 500, 10)]), [])
        self.assertEqual(plots([{"workload": "history", "kind": "page", "p99_ms": 1}] * 2), [])

    def test_a_figure_of_nothing_has_no_bar(self) -> None:
        floor = [{"workload": "floor", "in_flight": n, "acked_per_s": 0.0} for n in (64, 512)]
        self.assertEqual([line.count("#") for line in plots(floor)], [0, 0, 0])


if __name__ == "__main__":
    unittest.main()
