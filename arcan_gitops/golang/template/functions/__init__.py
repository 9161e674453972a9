"""The functions that `render` can run; a new one is one more entry in one of these modules.

LEFT_OUT is the one list of what ESO has and this has not: an entry with one of those is not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from arcan_gitops.golang.template.functions import builtins, data, encodings, texts, yaml
from arcan_gitops.golang.template.names import ALL
from arcan_gitops.golang.template.signature import Function

FUNCTIONS: Final[Mapping[str, Function]] = {
    **builtins.FUNCTIONS,
    **texts.FUNCTIONS,
    **data.FUNCTIONS,
    **encodings.FUNCTIONS,
    **yaml.FUNCTIONS,
}
LEFT_OUT: Final = tuple(sorted(ALL - set(FUNCTIONS)))
