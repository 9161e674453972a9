"""How bad it is: the exit status of `arcan status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

OK: Final = "ok"
WARNING: Final = "warning"  # somebody should look, today
CRITICAL: Final = "critical"  # reads fail, or soon will

_ORDER: Final = (OK, WARNING, CRITICAL)
EXITS: Final = {OK: 0, WARNING: 3, CRITICAL: 4}

Status = dict[str, Any]


def worst(severities: Iterable[str]) -> str:
    """The worst of them; of none it is ok. What is no severity counts as critical."""
    return max(severities, key=lambda one: _ORDER.index(one) if one in _ORDER else len(_ORDER), default=OK)


def severity_of(status: Mapping[str, Any]) -> str:
    """That of a status, as far as one can trust what came over a wire."""
    found = worst([str(status.get("severity", CRITICAL))])
    return found if found in EXITS else CRITICAL
