"""chaos-report.json, and the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chaos import deck
from chaos.checker import Account
from chaos.nemesis import Fault
from chaos.timeline import Timeline, pauses

LEAST_ACKED_PER_MINUTE = 6_000
LEAST_KILLS_PER_MINUTE = 5
MINUTES_WITH_EVERYTHING = 10
ORDER = (
    "seed acked expected_deliveries delivered lost doubled misordered holes others kills".split()
)


@dataclass
class Run:
    """What happened, before it was looked at."""

    seed: int
    minutes: float
    clients: int
    rate: float
    cluster: bool
    slowness: float = 1  # of programs that are slow on purpose: they do less in the same time
    begin_ms: int = 0
    end_ms: int = 0
    faults: list[Fault] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)  # what went wrong beside the account
    gave_up: list[str] = field(default_factory=list)  # services, at a start or stop


def too_little(run: Run, account: Account, timeline: Timeline) -> list[str]:
    """Why the run proves nothing."""
    reasons = []
    least_acked = LEAST_ACKED_PER_MINUTE / run.slowness
    least_kills = LEAST_KILLS_PER_MINUTE / run.slowness
    acked = account.acked / run.minutes
    if acked < least_acked:
        reasons.append(f"{acked:.0f} acknowledged a minute, {least_acked:.0f} are asked for")
    kills = run.kills.total() / run.minutes
    if kills < least_kills:
        reasons.append(f"{kills:.1f} kills a minute, {least_kills:g} are asked for")
    for fault in run.faults:
        if timeline.sent_in(fault.begin_ms, fault.end_ms + 1_000) == 0:
            reasons.append(f"nobody was sending during {fault.name} at {fault.begin_ms}")
    if run.minutes >= MINUTES_WITH_EVERYTHING:
        done = {fault.fault for fault in run.faults}
        met = {kind for fault in run.faults for kind in fault.kinds}
        reasons += [f"{fault} was never used" for fault in deck.FAULTS if fault not in done]
        reasons += [f"{victim} was never a victim" for victim in deck.VICTIMS if victim not in met]
    return reasons


def least_sent_per_s(run: Run, timeline: Timeline, seconds: int = 10) -> float:
    """In the worst ten seconds."""
    starts = range(run.begin_ms, max(run.end_ms - seconds * 1000, run.begin_ms + 1), 1000)
    return min(timeline.sent_in(s, s + seconds * 1000 - 1) for s in starts) / seconds


def make(run: Run, account: Account, timeline: Timeline) -> dict[str, Any]:
    reasons = too_little(run, account, timeline)
    report: dict[str, Any] = {
        "seed": run.seed,
        "acked": account.acked,
        "expected_deliveries": account.expected_deliveries,
        "delivered": account.delivered,
        **account.findings.columns(),
        "kills": dict(sorted(run.kills.items())),
        "minutes": run.minutes,
        "nats_servers": 3 if run.cluster else 1,
        "clients": run.clients,
        "sent": account.sent,
        "refused": account.refusals.total(),
        "refused_by_code": dict(account.refusals),
        "never_answered": account.open,
        "least_sent_per_s": least_sent_per_s(run, timeline),
        "membership_changes": account.changes,
        "history_expected": account.history_expected,
        "history_read": account.history_read,
        "shown_again_after_kill": account.again_after_kill,
        "findings": account.findings.examples,
        "finding_counts": dict(account.findings.counts),
        "problems": run.problems,
        "gave_up": run.gave_up,
        "too_little": reasons,
        "pauses": pauses(timeline, run.faults),
        "reconnects": reconnects(run, timeline),
        "faults_done": dict(Counter(fault.name for fault in run.faults)),
        "faults": [fault.to_json() for fault in run.faults],
    }
    report["passed"] = account.is_clean and not reasons and not run.problems
    return report


def reconnects(run: Run, timeline: Timeline) -> dict[str, Any]:
    """How long clients of a killed edge were away from any."""
    times = sorted(
        took
        for fault in run.faults
        if fault.fault == deck.KILL and "edge" in fault.kinds
        for took in timeline.time_to_reconnect(fault)
    )
    if not times:
        return {}
    return {
        "clients": len(times),
        "median_ms": times[len(times) // 2],
        "p99_ms": times[(len(times) - 1) * 99 // 100],
        "worst_ms": times[-1],
    }


def lines(report: dict[str, Any]) -> list[str]:
    """For the terminal; the verdict last."""
    result = [f"{key:24} {report[key]}" for key in ORDER]
    result.append(
        f"{'sent':24} {report['sent']}, refused {report['refused']}, never answered "
        f"{report['never_answered']}, least {report['least_sent_per_s']:.0f}/s in ten seconds"
    )
    result.append(
        f"{'new devices read':24} {report['history_read']} of {report['history_expected']}"
    )
    back = report["reconnects"]
    if back:
        times = f"median {back['median_ms']} ms, p99 {back['p99_ms']} ms, worst {back['worst_ms']} ms"
        result.append(f"{'clients of killed edges':24} {back['clients']} were back: {times}")
    result.append("")
    head = "times  alone  silence ms: median  worst   one message waited: median  worst"
    result.append(f"{'fault':30} {head}")
    for name, row in report["pauses"].items():
        result.append(
            f"{name:30} {row['count']:5}  {row['alone']:5}  {row['silence_median_ms']:18} "
            f"{row['silence_worst_ms']:6} {row['wait_median_ms']:29} {row['wait_worst_ms']:6}"
        )
    for name, examples in report["findings"].items():
        result += [f"{name}: {text}" for text in examples[:5]]
        result.append(f"{name}: {report['finding_counts'][name]} in all")
    result += [f"gave up: {text}" for text in report["gave_up"]]
    result += [f"problem: {text}" for text in report["problems"]]
    result += [f"too little: {text}" for text in report["too_little"]]
    return result
