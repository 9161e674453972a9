"""What kubeconform is given, and what becomes of its answers."""

from pathlib import Path

import pytest

from arcan_gitops.validate.engine import Case
from arcan_gitops.validate.kubeconform import Kubeconform, KubeconformFailed
from arcan_gitops.validate.manifests import Manifest
from arcan_gitops.validate.results import Status
from arcan_gitops.validate.schemaset import SchemaSet

SCHEMAS = SchemaSet("v2.9.0")


def _config_map(name: str, value: object) -> Case:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
    return Case(Manifest("-", "v1", "ConfigMap", name, "", body), SCHEMAS.find("v1", "ConfigMap"))


def _program(tmp_path: Path, script: str) -> Kubeconform:
    program = tmp_path / "kubeconform"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Kubeconform(str(program))


def test_many_large_manifests_are_each_judged_by_their_own_content() -> None:
    kubeconform = Kubeconform.find()
    assert kubeconform is not None, "kubeconform must be on PATH for this test"
    cases = [_config_map(f"c{n}", 7 if n % 3 == 0 else "x" * 300_000) for n in range(40)]
    results = kubeconform.judge(cases, SCHEMAS)
    assert [r.name for r in results] == [f"c{n}" for n in range(40)]
    assert [r.status is Status.INVALID for r in results] == [n % 3 == 0 for n in range(40)]


def test_no_manifests_need_no_kubeconform(tmp_path: Path) -> None:
    assert _program(tmp_path, "exit 1").judge([], SCHEMAS) == []


@pytest.mark.parametrize("status", ["statusSkipped", "statusError", ""])
def test_a_manifest_that_kubeconform_skips_is_a_failure(tmp_path: Path, status: str) -> None:
    answer = f'{{"resources": [{{"status": "{status}", "msg": "canary"}}]}}'
    (result,) = _program(tmp_path, f"cat >/dev/null; echo '{answer}'").judge([_config_map("a", "b")], SCHEMAS)
    assert (result.status, result.message) == (Status.ERROR, "kubeconform could not judge it")


def test_a_refusal_that_only_kubeconform_sees_names_the_place_and_not_the_value(tmp_path: Path) -> None:
    errors = '[{"path": "/data/value", "msg": "canary is wrong"}]'
    answer = (
        f'{{"resources": [{{"status": "statusInvalid", "msg": "canary", "validationErrors": {errors}}}]}}'
    )
    (result,) = _program(tmp_path, f"cat >/dev/null; echo '{answer}'").judge([_config_map("a", "b")], SCHEMAS)
    assert (result.status, result.message) == (Status.INVALID, "data.value: refused by kubeconform")


@pytest.mark.parametrize(
    "script", ["exit 3", "echo canary", "echo canary >&2; exit 1", "echo '{}'", "echo '{\"resources\": []}'"]
)
def test_a_kubeconform_that_does_not_answer_is_an_error_that_quotes_no_value(
    tmp_path: Path, script: str
) -> None:
    with pytest.raises(KubeconformFailed) as failed:
        _program(tmp_path, script).judge([_config_map("a", "canary")], SCHEMAS)
    assert "canary" not in f"{failed.value.message}{failed.value.hint}"


def test_a_kubeconform_that_fails_is_named_with_its_version_and_what_it_printed(tmp_path: Path) -> None:
    script = "test $1 = -v && echo v0.4.2 && exit; echo 'flag provided but not defined: -n' >&2; exit 2"
    with pytest.raises(KubeconformFailed) as failed:
        _program(tmp_path, script).judge([_config_map("a", "b")], SCHEMAS)
    assert failed.value.message == (
        "kubeconform v0.4.2 did not run as it should: it printed: flag provided but not defined: -n"
    )


def test_kubeconform_gets_no_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", "canary")
    seen = tmp_path / "seen"
    answer = '{"resources": [{"status": "statusValid"}]}'
    program = _program(tmp_path, f"/usr/bin/env > {seen}; /bin/cat >/dev/null; echo '{answer}'")
    assert program.judge([_config_map("a", "b")], SCHEMAS)[0].status is Status.VALID
    assert "canary" not in seen.read_text()
