"""What ./dev chaos plays by: its deck, when a run did too little, and the page."""

from __future__ import annotations

import unittest
import xml.etree.ElementTree
from collections import Counter

import support  # noqa: F401  makes the next lines possible
from chaos import deck, links, page, report
from chaos.checker import Account
from chaos.deck import Card, Deck
from chaos.journal import Acked, Journal, Sent
from chaos.nemesis import Fault
from chaos.timeline import Timeline, pauses

LINKS = [*links.SERVICE_LINKS, links.CLIENTS]


def any_card(_: Card) -> bool:
    return True


class DeckTest(unittest.TestCase):
    def draws(self, seed: int, count: int) -> list[Card]:
        dealer = Deck(seed, LINKS)
        acts = [dealer.draw(any_card) for _ in range(count)]
        return [act.card for act in acts if act is not None]

    def test_every_run_of_ten_minutes_has_all_victims_and_faults(self) -> None:
        in_ten_minutes = int(600 / (deck.LEAST_GAP_S + deck.MOST_GAP_S) * 2)
        for seed in range(50):
            cards = self.draws(seed, int(in_ten_minutes * 0.8))
            self.assertEqual({card.fault for card in cards}, set(deck.FAULTS), seed)
            met = {kind for card in cards for kind in card.kinds}
            self.assertLessEqual(set(deck.VICTIMS), met, seed)
            for fault in (deck.KILL, deck.PAUSE, deck.TERM):
                pairs = [c for c in cards if c.fault == fault and len(c.kinds) == 2]
                self.assertTrue(pairs, f"{seed}: a pair for {fault}")

    def test_half_are_kills_from_the_beginning(self) -> None:
        for seed in range(50):
            for count in (2, 18, 120):
                kills = [card for card in self.draws(seed, count) if card.fault == deck.KILL]
                self.assertEqual(len(kills), count / 2)

    def test_a_seed_tells_the_order(self) -> None:
        self.assertEqual(self.draws(7, 100), self.draws(7, 100))
        self.assertNotEqual(self.draws(7, 100), self.draws(8, 100))

    def test_what_cannot_be_played_comes_later(self) -> None:
        dealer = Deck(1, LINKS)
        first = [dealer.draw(lambda card: "edge" not in card.kinds) for _ in range(20)]
        self.assertFalse([act for act in first if act and "edge" in act.card.kinds])
        later = [dealer.draw(any_card) for _ in range(44)]
        self.assertTrue([act for act in later if act and "edge" in act.card.kinds])


def usual_run(minutes: float = 10) -> report.Run:
    """A fault of each kind to each victim, a second each."""
    run = report.Run(seed=1, minutes=minutes, clients=300, rate=260, cluster=False)
    run.end_ms = int(minutes * 60_000)
    for number, (fault, kind) in enumerate((f, v) for f in deck.FAULTS for v in deck.VICTIMS):
        begin = 5_000 + number * 10_000
        run.faults.append(Fault(fault, [f"{kind}-1"], [kind], begin, begin + 1_000))
    run.kills = Counter({"edge": int(minutes * report.LEAST_KILLS_PER_MINUTE)})
    return run


def busy_timeline(minutes: float = 10, silent: range = range(0)) -> Timeline:
    """A message every 100 ms, acknowledged after 30 ms; none is sent in the silence."""
    journal = Journal("ann", "phone")
    for at_ms in range(0, int(minutes * 60_000), 100):
        if at_ms not in silent:
            journal.sent[str(at_ms)] = Sent("u:ann:ben", 1, at_ms, False)
            journal.acked[str(at_ms)] = Acked("u:ann:ben", 1, at_ms + 30, False)
    timeline = Timeline()
    timeline.add(journal, "client-1")
    timeline.sort()
    return timeline


def busy_account(minutes: float = 10) -> Account:
    account = Account()
    account.acked = int(minutes * report.LEAST_ACKED_PER_MINUTE)
    return account


class TooLittle(unittest.TestCase):
    def reasons(self, run: report.Run, timeline: Timeline | None = None) -> list[str]:
        timeline = timeline or busy_timeline(run.minutes)
        return report.too_little(run, busy_account(run.minutes), timeline)

    def test_enough(self) -> None:
        self.assertEqual(self.reasons(usual_run()), [])

    def test_too_few_messages(self) -> None:
        account = busy_account()
        account.acked -= 1000
        [reason] = report.too_little(usual_run(), account, busy_timeline())
        self.assertIn("acknowledged a minute", reason)

    def test_too_few_kills(self) -> None:
        run = usual_run()
        run.kills["edge"] -= 1
        [reason] = self.reasons(run)
        self.assertIn("kills a minute", reason)

    def test_a_fault_or_a_victim_is_missing(self) -> None:
        run = usual_run()
        run.faults = [f for f in run.faults if f.fault != deck.ROLL and "redis" not in f.kinds]
        self.assertEqual(self.reasons(run), ["roll was never used", "redis was never a victim"])

    def test_a_short_run_need_not_have_everything(self) -> None:
        run = usual_run(2)
        run.faults = run.faults[:9]
        self.assertEqual(self.reasons(run), [])

    def test_nobody_was_sending(self) -> None:
        run = usual_run()
        fault = run.faults[3]
        silence = range(fault.begin_ms - 500, fault.end_ms + 2_000)
        [reason] = self.reasons(run, busy_timeline(silent=silence))
        self.assertIn(f"nobody was sending during {fault.name}", reason)


class Pauses(unittest.TestCase):
    def test_the_silence_belongs_to_the_fault_that_it_overlaps(self) -> None:
        faults = usual_run().faults[:3]
        quiet = range(faults[1].begin_ms, faults[1].begin_ms + 700)
        rows = pauses(busy_timeline(silent=quiet), faults)
        self.assertEqual([row["silence_worst_ms"] for row in rows.values()], [800, 100, 100])
        self.assertEqual(list(rows), ["kill dispatcher", "kill edge", "kill persist"])
        self.assertEqual({row["wait_worst_ms"] for row in rows.values()}, {30})

    def test_a_wait_of_clients_who_were_killed_does_not_count(self) -> None:
        slow = Journal("ann", "phone")
        slow.sent["x"] = Sent("u:ann:ben", 1, 1_000, False)
        slow.acked["x"] = Acked("u:ann:ben", 1, 5_000, False)
        for process, wait in (("client-1", 0), ("client-2", 4_000)):
            timeline = Timeline()
            timeline.add(slow, process)
            timeline.sort()
            faults = [Fault("kill", ["client-1"], ["client"], 2_000, 3_000)]
            faults.append(Fault("kill", ["edge-1"], ["edge"], 2_000, 3_000))
            self.assertEqual(pauses(timeline, faults)["kill edge"]["wait_worst_ms"], wait)


class Page(unittest.TestCase):
    def test_it_is_whole(self) -> None:
        run, timeline = usual_run(), busy_timeline()
        run.problems.append("<b>&")
        result = report.make(run, busy_account(), timeline)
        self.assertFalse(result["passed"])
        text = page.render(result, timeline, run.begin_ms, run.end_ms)
        begin = text.index("<svg")
        plots = text[begin : text.rindex("</svg>") + 6]
        for plot in plots.split("</svg>")[:-1]:
            svg = plot[plot.index("<svg") :] + "</svg>"
            xml.etree.ElementTree.fromstring(svg)
        self.assertEqual(plots.count("<rect"), len(run.faults))
        self.assertIn("&lt;b&gt;&amp;", text)
        self.assertIn('"bad">failed', text)


if __name__ == "__main__":
    unittest.main()
