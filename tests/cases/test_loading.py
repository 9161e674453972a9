"""The files of eso/, as a test gets them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.cases import answer, case, for_endpoint
from tests.eso.endpoint import Answer, Asked, make_authority, serving


def asked(path: str) -> Asked:
    return Asked("GET", path, {}, b"", 1)


def test_a_case_asks_the_endpoint_of_the_test_and_trusts_its_ca(tmp_path: Path):
    with serving(make_authority(tmp_path)) as endpoint:
        text = for_endpoint(case("eso", "k03"), endpoint)
        assert f"https://localhost:{endpoint.port}/{{{{ .remoteRef.key }}}}" in text
        assert f"caBundle: {base64.b64encode(endpoint.ca.encode()).decode()}, result" in text
    assert "18443" not in text


def test_a_path_has_its_answer_and_any_other_is_not_found():
    assert answer(asked("/num")) == Answer(200, b'{"value": 42}')
    assert answer(asked("/nothing")).status == 404


def test_a_start_that_two_files_have_is_no_case():
    with pytest.raises(ValueError, match="too many values"):
        case("eso", "l0")
