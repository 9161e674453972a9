"""Every route that is answered. What is not in this table is refused, whatever its path.

The README's table of routes is compared with this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from arcan_gitops.webhook import ENVIRONMENT_PARAMETER, PATH_PREFIX, STATUS_PATH


@dataclass(frozen=True, slots=True)
class Route:
    """A route of GET; names in braces are parsed by their grammars."""

    path: str
    query: str = ""
    token: bool = True  # whether a valid token is asked for


_ENVIRONMENT: Final = f"{ENVIRONMENT_PARAMETER}={{environment}}"
ONE_KEY: Final = Route(f"{PATH_PREFIX}/{{realm}}/{{key}}", _ENVIRONMENT)
ALL_KEYS: Final = Route(f"{PATH_PREFIX}/{{realm}}", _ENVIRONMENT)
STATUS: Final = Route(STATUS_PATH)
LIVE: Final = Route("/livez", token=False)
READY: Final = Route("/readyz", token=False)

ROUTES: Final = (ONE_KEY, ALL_KEYS, STATUS, LIVE, READY)
# The only requests that need no token, by their path.
PROBES: Final = {route.path: route for route in ROUTES if not route.token}
