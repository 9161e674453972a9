"""`arcan validate` and `arcan schemas`, from argv to exit status."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from arcan_gitops.cli import main
from arcan_gitops.yamlio import emit

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
STORE_V1BETA1 = "apiVersion: external-secrets.io/v1beta1\nkind: SecretStore\nmetadata: {name: arcan}\n"
WIDGETS = Path(__file__).resolve().parent.parent / "validate/crds/external-secrets/v9.9.9/widgets.yaml"
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {policy: %s}\n"


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Arcan = Callable[..., Ran]


@pytest.fixture
def arcan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Arcan:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["arcan", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsys.readouterr()
        return Ran(int(exited.value.code or 0), captured.out, captured.err)

    return run


def _overlay(name: str, manifest: str) -> None:
    folder = Path("kustomize/overlays", name)
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text("resources: [manifest.yaml]\n")
    (folder / "manifest.yaml").write_text(manifest)


def test_every_overlay_under_kustomize_is_built_and_validated(arcan: Arcan) -> None:
    _overlay("prod", CONFIG_MAP)
    _overlay("staging", CONFIG_MAP)
    ran = arcan("validate", "--engine", "kubeconform")
    assert ran.status == 0
    assert "kustomize/overlays/prod     ConfigMap  settings        valid" in ran.out
    assert re.search(
        r"2 manifests: 2 valid, 0 invalid, 0 errors "
        r"\(kustomize v5\.\d+\.\d+, kubeconform, ESO v2\.9\.0; known up to v2\.9\.0\)\n\Z",
        ran.out,
    )
    assert ran.err == ""


def _settings(text: str) -> None:
    Path("kustomize/arcan.yaml").write_text(text)


def test_each_overlay_is_judged_by_its_own_version_of_eso(arcan: Arcan) -> None:
    """v1beta1 is served by ESO 0.16, and by no newer one that has schemas."""
    for name in ("old", "new", "other"):
        _overlay(name, STORE_V1BETA1)
    _settings(
        "esoVersion: 2.9.0\noverlays:\n"
        "  old: {environment: prod, esoVersion: 0.16.2}\n  new: {environment: prod}\n"
    )
    ran = arcan("validate")
    assert ran.status == 1
    rows = {line.split()[0]: line for line in ran.out.splitlines() if line.startswith("kustomize/")}
    assert rows["kustomize/overlays/old"].split()[3] == "valid"
    assert "kustomize/overlays/new" in rows
    assert "is not served by this ESO version, but by v0.16.2" in rows["kustomize/overlays/new"]
    assert "ESO v0.16.2, v2.9.0; known up to" in ran.out
    nested = arcan("validate", "kustomize/overlays/old")
    assert nested.status == 0
    assert "ESO v0.16.2; known up to" in nested.out
    assert arcan("validate", "kustomize/overlays/old", "--eso-version", "2.9.0").status == 1


def test_a_schema_that_one_version_breaks_names_that_version(arcan: Arcan) -> None:
    push = STORE_V1BETA1.replace("v1beta1", "v1") + "spec: {provider: {nosuch: {}}}\n"
    for name in ("old", "new"):
        _overlay(name, push)
    _settings("overlays: {old: {environment: a, esoVersion: 0.20.4}, new: {environment: a}}\n")
    ran = arcan("validate")
    assert "with ESO v0.20.4: " in ran.out
    assert "with ESO v2.9.0: " in ran.out


def test_an_overlay_of_an_unknown_version_is_judged_by_the_newest_with_a_warning(arcan: Arcan) -> None:
    _overlay("prod", CONFIG_MAP)
    _settings("esoVersion: 2.14.0\noverlays: {prod: {environment: a}}\n")
    ran = arcan("validate")
    assert ran.status == 0
    assert "warning: kustomize/overlays/prod: no schemas of ESO 2.14.0: there are" in ran.err
    assert "arcan schemas add --eso-version 2.14.0 -" in ran.err
    assert "ESO v2.9.0; known up to" in ran.out


def test_one_bad_manifest_fails_the_run(arcan: Arcan) -> None:
    _overlay("prod", CONFIG_MAP)
    _overlay("staging", CONFIG_MAP + "dta: {}\n")
    ran = arcan("validate")
    assert ran.status == 1
    assert "unknown field 'dta'; did you mean 'data'?" in ran.out
    assert "2 manifests: 1 valid, 1 invalid, 0 errors" in ran.out


@pytest.mark.parametrize("stdin", ["", "---\n", "# nothing\n"])
def test_nothing_to_validate_is_a_failure(arcan: Arcan, stdin: str) -> None:
    ran = arcan("validate", "-", stdin=stdin)
    assert (ran.status, ran.out) == (1, "")
    assert "arcan: error: nothing to validate" in ran.err
    Path("kustomize").mkdir()
    assert arcan("validate").status == 1


def test_without_the_default_directory_the_hint_says_what_to_give(arcan: Arcan) -> None:
    ran = arcan("validate")
    assert ran.status == 1
    assert "kustomize: no such file or directory" in ran.err


def test_manifests_can_be_piped_in(arcan: Arcan) -> None:
    ran = arcan("validate", "-", "--format", "json", stdin=CONFIG_MAP)
    assert ran.status == 0
    assert json.loads(ran.out)["results"][0]["name"] == "settings"


def test_without_kubeconform_the_embedded_validator_judges_and_says_so(
    arcan: Arcan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = arcan("validate", "-", stdin=CONFIG_MAP)
    assert ran.status == 0
    assert "(embedded, ESO v2.9.0; known up to v2.9.0)" in ran.out
    assert "kubeconform is not installed" in ran.err
    ran = arcan("validate", "-", "--engine", "embedded", stdin=CONFIG_MAP)
    assert (ran.status, ran.err) == (0, "")
    ran = arcan("validate", "-", "--engine", "kubeconform", stdin=CONFIG_MAP)
    assert ran.status == 1
    assert "arcan: error: kubeconform is not on PATH" in ran.err


def test_a_manifest_must_fit_every_eso_version_asked_for(arcan: Arcan) -> None:
    assert arcan("validate", "-", "--eso-version", "v0.16.2", stdin=STORE_V1BETA1).status == 0
    for versions in (["all"], ["v0.16.2", "v1.3.2"]):
        options = [text for version in versions for text in ("--eso-version", version)]
        ran = arcan("validate", "-", *options, stdin=STORE_V1BETA1)
        assert ran.status == 1
        assert "v1.3.2" in ran.out.split("not served")[0]
        assert "1 manifest: 0 valid, 0 invalid, 1 error (" in ran.out


def test_an_added_crd_makes_its_kind_known_to_both_engines(arcan: Arcan) -> None:
    assert arcan("validate", "-", stdin=WIDGET % "Retain").status == 1
    added = arcan("schemas", "add", str(WIDGETS))
    assert (added.status, added.out) == (0, "kustomize/schemas/example.com/widget_v1.json\n")
    for engine in ("kubeconform", "embedded"):
        assert arcan("validate", "-", "--engine", engine, stdin=WIDGET % "Retain").status == 0
        ran = arcan("validate", "-", "--engine", engine, stdin=WIDGET % "Keep")
        assert ran.status == 1
        assert "spec.policy: must be one of 'Retain', 'Delete'" in ran.out
    assert "kustomize/schemas" in arcan("schemas", "list").out


def test_schemas_can_be_added_from_standard_input_to_another_folder(arcan: Arcan) -> None:
    ran = arcan("schemas", "add", "-", "--schemas", "own", stdin=WIDGETS.read_text())
    assert (ran.status, ran.out) == (0, "own/example.com/widget_v1.json\n")
    assert arcan("validate", "-", "--schemas", "own", stdin=WIDGET % "Delete").status == 0


@pytest.mark.parametrize("text", ["", "kind: ConfigMap\n", "a: b: c\n"])
def test_what_is_no_crd_is_not_added(arcan: Arcan, text: str) -> None:
    ran = arcan("schemas", "add", "-", stdin=text)
    assert (ran.status, ran.out) == (1, "")
    assert "arcan: error: -" in ran.err
    assert not Path("kustomize").exists()


def test_the_list_of_schemas_says_from_which_set_a_kind_is(arcan: Arcan) -> None:
    rows = [line.split() for line in arcan("schemas", "list").out.splitlines()]
    assert ["external-secrets", "v2.9.0", "external-secrets.io/v1", "SecretStore"] in rows
    assert ["kubernetes", "v1.34.4", "v1", "Secret"] in rows


def test_a_kind_of_the_package_cannot_be_added_again(arcan: Arcan) -> None:
    """Else `--eso-version` would judge by whatever CRD lies in the repository."""
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"},
        "spec": {"group": "external-secrets.io", "names": {"kind": "ExternalSecret"}, "scope": "Namespaced",
                 "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    }  # fmt: skip
    ran = arcan("schemas", "add", "-", stdin=emit([crd]))
    assert ran.status == 1
    assert "the package has these schemas already" in ran.err


ESO_KINDS = ("SecretStore", "ClusterSecretStore", "ExternalSecret", "ClusterExternalSecret")


def bundle() -> str:
    """All CRDs of an ESO to come, as its deploy/crds/bundle.yaml has them in one file."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    return emit([
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.external-secrets.io"},
            "spec": {
                "group": "external-secrets.io",
                "names": {"kind": kind},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": True, "schema": schema}],
            },
        }
        for kind in ESO_KINDS
    ])  # fmt: skip


@pytest.mark.parametrize("engine", ["kubeconform", "embedded"])
def test_a_newer_eso_is_usable_once_its_crds_were_added(arcan: Arcan, engine: str) -> None:
    store = "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: a}\nspec: {}\n"
    validate = ("validate", "-", "--engine", engine, "--eso-version", "2.14.0")
    refused = arcan(*validate, stdin=store)
    assert refused.status == 1
    assert "no schemas of ESO 2.14.0: there are v0.16.2, v0.20.4, v1.3.2, v2.9.0" in refused.err
    assert "kubectl get crds -o yaml | arcan schemas add --eso-version 2.14.0 -" in refused.err

    added = arcan("schemas", "add", "--eso-version", "2.14.0", "-", stdin=bundle())
    assert added.status == 0
    folder = "kustomize/schemas/external-secrets/v2.14.0/external-secrets.io"
    assert f"{folder}/secretstore_v1.json" in added.out.splitlines()
    ran = arcan(*validate, stdin=store)
    assert ran.status == 0
    assert ran.out.endswith(f"({engine}, ESO v2.14.0; known up to v2.14.0)\n")
    assert "(embedded, ESO v2.14.0; " in arcan("validate", "-", "--engine", "embedded", stdin=store).out
    assert "external-secrets v2.14.0  external-secrets.io/v1" in arcan("schemas", "list").out


@pytest.mark.parametrize(("text", "said"), [("two", "is not a version of ESO"), ("0.9", "is not supported")])
def test_what_is_no_version_is_wrong_usage(arcan: Arcan, text: str, said: str) -> None:
    ran = arcan("validate", "-", "--eso-version", text, stdin=CONFIG_MAP)
    assert ran.status == 2
    assert said in ran.err
