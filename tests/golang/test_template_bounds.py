"""A template that would run for ever is not simulated, and no error shows a value."""

from __future__ import annotations

import pytest

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template import parse, render

# each includes the next twice: 2^30 of them
DOUBLED = "".join(
    f'{{{{define "t{n}"}}}}{{{{template "t{n + 1}"}}}}{{{{template "t{n + 1}"}}}}{{{{end}}}}'
    for n in range(30)
)
LOOPS = '{{define "a"}}{{range 90000}}{{end}}{{end}}{{range 90000}}{{template "a"}}{{end}}'


@pytest.mark.parametrize("text", [DOUBLED + '{{define "t30"}}{{end}}{{template "t0"}}', LOOPS])
def test_the_steps_of_all_that_is_included_count_together(text: str) -> None:
    with pytest.raises(NotSupported, match="so many steps"):
        render(parse(text, name="t"), {})


@pytest.mark.parametrize(
    "text",
    [
        "{{range (fromJson .pin).n}}{{end}}",
        "{{range $a, $b := int (fromJson .pin).n}}{{end}}",
        "{{range .pin}}{{end}}",
    ],
)
def test_an_error_of_range_shows_no_value_of_any_type(text: str) -> None:
    with pytest.raises(GoError, match=r"\[redacted\]") as caught:
        render(parse(text, name="t"), {"pin": '{"n": 90210}'})
    assert "90210" not in str(caught.value)
