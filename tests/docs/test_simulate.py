"""docs/simulate.md lists just what the emulator leaves out."""

from __future__ import annotations

import re
from pathlib import Path

from arcan_gitops.golang.template.functions import FUNCTIONS, LEFT_OUT

PAGE = Path(__file__).parents[2] / "docs" / "simulate.md"


def test_the_functions_that_are_left_out_are_those_of_the_page() -> None:
    (line,) = (line for line in PAGE.read_text().splitlines() if "these functions: " in line)
    listed = re.findall(r"`(\w+)`", line.partition("these functions: ")[2])
    assert tuple(listed) == LEFT_OUT
    assert not set(listed) & set(FUNCTIONS)
