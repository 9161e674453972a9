"""Groups of bars on a logarithmic scale, drawn as an SVG file: for what differs by powers of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Final

_WIDTH: Final = 860
_LEFT: Final = 230
_RIGHT: Final = 80
_TOP: Final = 60
_BAR: Final = 14
_GAP: Final = 16  # between groups
_COLOURS: Final = ("#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#6e7781")


def svg(groups: Mapping[str, Mapping[str, float]], *, title: str, x_label: str) -> str:
    """The SVG of `groups`: bars by name in groups by name, all above zero; a name has one colour."""
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    values = [value for bars in groups.values() for value in bars.values()]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    decades = max(1, highest - lowest)
    across = _WIDTH - _LEFT - _RIGHT
    height = _TOP + sum(_BAR * len(bars) + _GAP for bars in groups.values()) + 60

    def place(value: float) -> float:
        return _LEFT + across * (math.log10(value) - lowest) / decades

    def text(x: float, y: float, said: str, more: str = 'text-anchor="middle"') -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(said)}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        text(_WIDTH / 2, 26, title, 'text-anchor="middle" font-size="15"'),
        text(_LEFT + across / 2, height - 8, x_label),
    ]
    for power in range(lowest, lowest + decades + 1):
        x = place(10**power)
        parts += [
            f'<path d="M{x:.1f} {_TOP - 8}V{height - 44}" stroke="#ddd"/>',
            text(x, height - 28, f"{10**power:,}"),
        ]
    y = float(_TOP)
    for group, bars in groups.items():
        parts.append(text(8, y + _BAR * len(bars) / 2 + 4, group, 'text-anchor="start" font-weight="bold"'))
        for name, value in bars.items():
            colour = _COLOURS[names.index(name) % len(_COLOURS)]
            parts += [
                f'<rect x="{_LEFT}" y="{y:.1f}" width="{place(value) - _LEFT:.1f}" height="{_BAR - 2}"'
                f' fill="{colour}"><title>{escape(f"{group}, {name}: {value:,.0f}")}</title></rect>',
                text(_LEFT + 4, y + 10, name, 'text-anchor="start" font-size="10" fill="#fff"'),
                text(place(value) + 4, y + 10, f"{value:,.0f}", 'text-anchor="start" font-size="10"'),
            ]
            y += _BAR
        y += _GAP
    return "\n".join([*parts, "</svg>", ""])
