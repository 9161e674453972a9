"""Lines through a few points, drawn: as an SVG file; and one line as bars for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

_WIDTH: Final = 720
_HEIGHT: Final = 400
_LEFT: Final = 70
_RIGHT: Final = 30
_TOP: Final = 50
_BOTTOM: Final = 55
_TICKS: Final = 6  # at the most
_COLOURS: Final = ("#1f6feb", "#bc4c00", "#1a7f37")
_BAR: Final = 48


class Point(NamedTuple):
    """One measurement."""

    x: float
    y: float


class Line(NamedTuple):
    """Measurements of one thing."""

    name: str
    points: Sequence[Point]


def svg(lines: Sequence[Line], *, title: str, x_label: str, y_label: str) -> str:
    """The SVG of a chart whose axes start at zero; several lines have their names beside them."""
    points = [point for line in lines for point in line.points]
    x_ticks, y_ticks = _ticks(max(point.x for point in points)), _ticks(max(point.y for point in points))
    right, top = x_ticks[-1], y_ticks[-1]
    across, up = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    bottom = _HEIGHT - _BOTTOM

    def place(point: Point) -> tuple[float, float]:
        return _LEFT + across * point.x / right, bottom - up * point.y / top

    def text(x: float, y: float, said: str, more: str = 'text-anchor="middle"') -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(said)}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        text(_WIDTH / 2, 26, title, 'text-anchor="middle" font-size="15"'),
        text(_LEFT + across / 2, _HEIGHT - 12, x_label),
        text(18, _TOP + up / 2, y_label, f'text-anchor="middle" transform="rotate(-90 18 {_TOP + up / 2})"'),
    ]
    for tick in y_ticks:
        y = place(Point(0, tick))[1]
        parts += [
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            text(_LEFT - 8, y + 4, f"{tick:,.10g}", 'text-anchor="end"'),
        ]
    parts += [text(place(Point(tick, 0))[0], bottom + 18, f"{tick:,.10g}") for tick in x_ticks]
    for line, colour in zip(lines, _COLOURS, strict=False):
        places = [place(point) for point in line.points]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        if len(lines) > 1:
            x, y = places[-1]
            side = (x + 8, "start") if x < _WIDTH / 2 else (x - 8, "end")
            parts.append(text(side[0], y - 8, line.name, f'text-anchor="{side[1]}" fill="{colour}"'))
    return "\n".join([*parts, "</svg>", ""])


def _ticks(highest: float) -> list[float]:
    """Round numbers at one distance, from zero to the first that is not below the highest."""
    power = 10 ** math.floor(math.log10(highest))
    step = next(share * power for share in (0.1, 0.2, 0.5, 1, 2) if highest <= share * power * _TICKS)
    return [step * tick for tick in range(math.ceil(highest / step) + 1)]


def bars(points: Sequence[Point], *, x_unit: str, y_unit: str) -> list[str]:
    """A line of text for each point."""
    top = max(point.y for point in points)
    return [
        f"{point.x:>11,.0f} {x_unit} {'█' * round(_BAR * point.y / top):<{_BAR}} {point.y:>7,.1f} {y_unit}"
        for point in points
    ]
