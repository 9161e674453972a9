"""eso/: what ESO does with it, and what is said of it before a cluster sees it."""

from __future__ import annotations

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.overlay import App, Settings, build_overlays
from tests.cases import case
from tests.overlay.samples import SAMPLES

DECLARED = case("eso", "d00").read_text()


def refused(app: str = "", settings: str = DECLARED) -> list[str]:
    """What generation says of a declared app, or of arcan.yaml."""
    try:
        using = Settings.parse(settings.encode(), "arcan.yaml", pytest.fail)
        parsed = App.parse(app.encode(), f"apps/{app.splitlines()[0].removeprefix('name: ')}.yaml")
        build_overlays([parsed], using, SAMPLES)
    except SeveralErrors as error:
        return [problem.message for problem in error.problems]
    except ArcanError as error:
        return [error.message]
    return []


def test_d04_a_template_that_names_what_is_not_fetched_is_an_error() -> None:
    (problem,) = refused(case("eso", "d04").read_text())
    assert "uses .user, which is no key of Secret 't3'" in problem


def test_d05_templates_that_do_not_parse_are_all_named() -> None:
    found = refused(case("eso", "d05").read_text())
    assert len(found) == 3
    assert "bad character U+002D '-'" in found[0]
    assert "unclosed action" in found[1]
    assert 'function "nosuchfunc" not defined' in found[2]


def test_d06_a_property_that_the_store_does_not_use_is_an_error() -> None:
    found = refused(case("eso", "d06").read_text())
    assert len(found) == 2
    assert all("store 'bw-notes' never uses .remoteRef.property" in problem for problem in found)


def test_d07_a_broken_header_and_json_path_are_errors() -> None:
    text = case("eso", "d07").read_text()
    assert "the template 'headers.X-T' does not parse" in refused(settings=text)[0]
    mended = text.replace("{{ .auth.username '", "{{ .auth.username }}'")
    assert "jsonPath does not parse" in refused(settings=mended)[0]
