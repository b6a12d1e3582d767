"""chaos-report.html: the figures, a timeline of the faults, throughput and latency over time."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from chaos.timeline import Timeline

WIDTH = 1100
LEFT = 150  # for names
PLOT_HEIGHT = 160
ROW_HEIGHT = 16
COLOURS = {
    "kill": "#c0392b",
    "pause": "#8e44ad",
    "term": "#d68910",
    "roll": "#7f8c8d",
    "cut": "#1f618d",
    "slow": "#2e86c1",
    "delay": "#76b5d8",
}
STYLE = """
body { font: 14px/1.4 sans-serif; margin: 2em; max-width: 1150px }
table { border-collapse: collapse } td, th { padding: 2px 10px; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
svg text { font: 11px sans-serif } .good { color: #1e8449 } .bad { color: #c0392b }
"""
FIGURES = (
    "seed minutes nats_servers clients sent acked refused never_answered expected_deliveries delivered"
    " lost doubled misordered holes others history_expected history_read least_sent_per_s"
).split()


class Scale:
    """Seconds since the begin to places on the page."""

    def __init__(self, begin_ms: int, end_ms: int) -> None:
        self.begin_s = begin_ms // 1000
        self.seconds = max(end_ms // 1000 - self.begin_s, 1)

    def x(self, at_ms: float) -> float:
        return LEFT + (at_ms / 1000 - self.begin_s) / self.seconds * (WIDTH - LEFT)

    def ticks(self, height: int) -> str:
        step = next(s for s in (5, 10, 30, 60, 120, 300, 600, 3600) if self.seconds / s <= 24)
        parts = []
        for second in range(0, self.seconds + 1, step):
            x = self.x((self.begin_s + second) * 1000)
            parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="0" y2="{height}" stroke="#eee"/>')
            parts.append(f'<text x="{x:.0f}" y="{height + 12}" fill="#777">{second} s</text>')
        return "".join(parts)


def svg(height: int, scale: Scale, body: str) -> str:
    return (
        f'<svg width="{WIDTH}" height="{height + 18}" viewBox="0 0 {WIDTH} {height + 18}">'
        f"{scale.ticks(height)}{body}</svg>"
    )


def fault_rows(faults: list[dict[str, Any]], scale: Scale) -> str:
    """A row a victim, a bar a fault."""
    names = sorted({victim for fault in faults for victim in fault["victims"]})
    parts = []
    for row, name in enumerate(names):
        y = row * ROW_HEIGHT
        parts.append(f'<text x="0" y="{y + 12}">{html.escape(name)}</text>')
        for fault in faults:
            if name not in fault["victims"]:
                continue
            x = scale.x(fault["begin_ms"])
            width = max(scale.x(fault["end_ms"]) - x, 2)
            title = f"{fault['fault']} {', '.join(fault['victims'])}: {fault['details']}"
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW_HEIGHT - 4}" '
                f'fill="{COLOURS[fault["fault"]]}"><title>{html.escape(title)}</title></rect>'
            )
    return svg(len(names) * ROW_HEIGHT, scale, "".join(parts))


def plot(curves: list[tuple[str, str, dict[int, float]]], scale: Scale, unit: str) -> str:
    """Curves by second, with name and colour."""
    top = max((value for _, _, curve in curves for value in curve.values()), default=1) or 1
    parts = [f'<text x="0" y="12">{top:.0f} {unit}</text><text x="0" y="{PLOT_HEIGHT}">0</text>']
    for place, (name, colour, curve) in enumerate(curves):
        points = " ".join(
            f"{scale.x((scale.begin_s + s) * 1000):.1f},"
            f"{PLOT_HEIGHT - curve.get(scale.begin_s + s, 0) / top * PLOT_HEIGHT:.1f}"
            for s in range(scale.seconds + 1)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="0" y="{36 + 14 * place}" fill="{colour}">{name}</text>')
    return svg(PLOT_HEIGHT, scale, "".join(parts))


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    parts = ["<table><tr>", *(f"<th>{html.escape(cell)}</th>" for cell in head), "</tr>"]
    for row in rows:
        parts += ["<tr>", *(f"<td>{html.escape(str(cell))}</td>" for cell in row), "</tr>"]
    return "".join([*parts, "</table>"])


def legend() -> str:
    return " ".join(f'<span style="color:{c}">&#9632; {name}</span>' for name, c in COLOURS.items())


def pause_table(report: dict[str, Any]) -> str:
    head = (
        "fault",
        "times",
        "alone",
        "no acknowledgement, median ms",
        "worst",
        "one message waited, median ms",
        "worst",
    )
    return table(head, ((name, *row.values()) for name, row in report["pauses"].items()))


def findings(report: dict[str, Any]) -> str:
    texts = [f"{name}: {text}" for name, some in report["findings"].items() for text in some]
    texts += [*report["problems"], *(f"too little: {text}" for text in report["too_little"])]
    items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else "<p>Nothing was found.</p>"


def render(report: dict[str, Any], timeline: Timeline, begin_ms: int, end_ms: int) -> str:
    scale = Scale(begin_ms, end_ms)
    throughput: list[tuple[str, str, dict[int, float]]] = [
        ("shown", "#aab7b8", dict(timeline.shown_per_s)),
        ("sent", "#2e86c1", dict(timeline.sent_per_s)),
        ("acknowledged", "#1e8449", dict(timeline.acked_per_s)),
    ]
    waits = timeline.percentiles()
    latency: list[tuple[str, str, dict[int, float]]] = [
        ("99th percentile", "#d68910", {second: high for second, (_, high) in waits.items()}),
        ("median", "#1e8449", {second: middle for second, (middle, _) in waits.items()}),
    ]
    verdict = '<b class="good">passed</b>' if report["passed"] else '<b class="bad">failed</b>'
    kills = ", ".join(f"{count} {victim}" for victim, count in report["kills"].items())
    figures = [(name, report[name]) for name in FIGURES] + [("kills", kills)]
    parts = [
        f'<!doctype html><meta charset="utf-8"><title>Chaos {report["seed"]}</title>',
        f"<style>{STYLE}</style><h1>Chaos, seed {report['seed']}: {verdict}</h1>",
        table(("what", "count"), figures),
        f"<h2>Faults</h2><p>{legend()}</p>{fault_rows(report['faults'], scale)}",
        f"<h2>Messages a second</h2>{plot(throughput, scale, '/s')}",
        f"<h2>From send to acknowledgement</h2>{plot(latency, scale, 'ms')}",
        f"<h2>Pauses by kind of fault</h2>{pause_table(report)}",
        f"<h2>Findings</h2>{findings(report)}",
    ]
    return "\n".join(parts) + "\n"
