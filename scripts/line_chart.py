"""A line through a few points, drawn: as an SVG file, and as bars for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

_WIDTH: Final = 720
_HEIGHT: Final = 400
_LEFT: Final = 70
_RIGHT: Final = 30
_TOP: Final = 50
_BOTTOM: Final = 55
_TICKS: Final = 5
_BAR: Final = 48


class Point(NamedTuple):
    """One measurement."""

    x: float
    y: float


def svg(points: Sequence[Point], *, title: str, x_label: str, y_label: str) -> str:
    """The SVG of a chart whose axes start at zero."""
    right, top = max(point.x for point in points), max(point.y for point in points)
    across, up = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    bottom = _HEIGHT - _BOTTOM

    def place(point: Point) -> str:
        return f"{_LEFT + across * point.x / right:.1f},{bottom - up * point.y / top:.1f}"

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
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        x, y = _LEFT + across * share, bottom - up * share
        parts += [
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            text(x, bottom + 18, f"{right * share:,.0f}"),
            text(_LEFT - 8, y + 4, f"{top * share:,.0f}", 'text-anchor="end"'),
        ]
    parts.append(
        f'<polyline points="{" ".join(map(place, points))}" fill="none" stroke="#1f6feb" stroke-width="2"/>'
    )
    for point in points:
        left, _, up_to = place(point).partition(",")
        parts.append(f'<circle cx="{left}" cy="{up_to}" r="3" fill="#1f6feb"/>')
    return "\n".join([*parts, "</svg>", ""])


def bars(points: Sequence[Point], *, x_unit: str, y_unit: str) -> list[str]:
    """A line of text for each point."""
    top = max(point.y for point in points)
    return [
        f"{point.x:>11,.0f} {x_unit} {'█' * round(_BAR * point.y / top):<{_BAR}} {point.y:>7,.1f} {y_unit}"
        for point in points
    ]
