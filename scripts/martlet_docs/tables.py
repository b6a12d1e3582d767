"""Markdown tables from the JSON of --describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Description = dict[str, Any]  # of one service: service, keys, metrics, limits, errors

MAX_LISTED_VALUES = 12


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    return f"`{cell(text)}`" if text else ""


def joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def key_cells(row: Row) -> list[str]:
    unit = "" if row["unit"] == row["type"] else row["unit"]
    default = "required" if row["default"] is None else code(row["default"])
    kind = joined(row["type"], row["bounds"] and cell(row["bounds"]), unit)
    return [code(row["name"]), kind, default, cell(row["text"])]


def metric_cells(row: Row) -> list[str]:
    values = row["values"]
    label = row["label"]
    if label and len(values) <= MAX_LISTED_VALUES:
        label += ": " + ", ".join(values)
    elif label:
        label += f": {len(values)} values"
    return [code(row["name"]), joined(row["kind"], row["unit"]), cell(label), cell(row["text"])]


def limit_cells(row: Row) -> list[str]:
    return [code(row["name"]), f"{row['value']:,} {row['unit']}", cell(row["text"])]


def error_cells(row: Row) -> list[str]:
    retryable = "yes" if row["retryable"] else ""
    return [str(row["number"]), code(row["name"]), retryable, cell(row["text"])]


# Part of the description -> headings, cells of a row, whether services differ in it.
LAYOUT: dict[str, tuple[list[str], Callable[[Row], list[str]], bool]] = {
    "keys": (["key", "type, bounds, unit", "default", "meaning"], key_cells, True),
    "metrics": (["metric", "kind, unit", "label", "meaning"], metric_cells, True),
    "limits": (["limit", "value", "meaning"], limit_cells, True),
    "errors": (["number", "name", "retryable", "meaning"], error_cells, False),
}


def merged(part: str, descriptions: list[Description]) -> list[tuple[list[str], list[str]]]:
    """Cells of each different row and the services that have it, what all have first."""
    cells_of = LAYOUT[part][1]
    services: dict[tuple[str, ...], list[str]] = {}
    for description in descriptions:
        for row in description[part]:
            services.setdefault(tuple(cells_of(row)), []).append(description["service"])
    rows = [(list(cells), names) for cells, names in services.items()]
    return sorted(rows, key=lambda item: len(item[1]) != len(descriptions))


def table(part: str, descriptions: list[Description]) -> str:
    headings, _, by_service = LAYOUT[part]
    lines = []
    for cells, names in merged(part, descriptions):
        who = "all" if len(names) == len(descriptions) else ", ".join(names)
        lines.append([cells[0], who, *cells[1:]] if by_service else cells)
    if by_service:
        headings = [headings[0], "services", *headings[1:]]
    rule = ["---"] * len(headings)
    return "".join(f"| {' | '.join(line)} |\n" for line in [headings, rule, *lines])
