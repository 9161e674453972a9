"""What a CustomResourceDefinition becomes, and that the script is repeatable."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from arcan_gitops.validate.constraints import constraint_crd
from arcan_gitops.validate.derive import CannotDerive, derive_crd
from arcan_gitops.validate.schemaset import KEPT, Schema, eso_versions, kept_sets, object_meta, read_schemas
from arcan_gitops.validate.sharing import share
from arcan_gitops.yamlio import read_documents

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = ROOT / "scripts" / "derive_schemas.py"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))}


def _crd(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def test_the_script_derives_the_same_bytes_again_and_removes_what_is_stale(tmp_path: Path) -> None:
    stale = tmp_path / "external-secrets/v0.0.1/example.com/gone_v1.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    command = [sys.executable, str(SCRIPT), str(HERE / "crds"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    assert _files(tmp_path) == _files(HERE / "derived")


def test_the_script_says_what_its_folder_lacks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "must hold one <version>.json" in done.stderr


@pytest.mark.parametrize(("project", "version"), kept_sets())
def test_every_schema_that_comes_with_the_package_is_sound_and_lies_where_its_kind_says(
    project: str, version: str
) -> None:
    root = KEPT / project / version
    schemas = list(read_schemas(root))
    assert schemas
    for schema in schemas:
        Draft4Validator.check_schema(schema.body)
        api_version, kind = schema.known.api_version, schema.known.kind
        group, _, name = api_version.rpartition("/")
        assert schema.path == root / (group or name) / f"{kind.lower()}_{name}.json"
        assert schema.path.read_bytes().count(b"\n") == 1


def test_the_schemas_that_come_with_the_package_stay_small() -> None:
    assert sum(path.stat().st_size for path in KEPT.rglob("*.json")) < 1_200_000


def test_v1beta1_is_kept_only_for_the_eso_that_serves_it() -> None:
    served = {
        version
        for version in eso_versions()
        if list((KEPT / "external-secrets" / version).rglob("*_v1beta1.json"))
    }
    assert served == {"v0.16.2"}


def test_the_defaults_of_a_crd_are_kept() -> None:
    path = KEPT / "external-secrets/v2.9.0/external-secrets.io/externalsecret_v1.json"
    spec = Schema(path).body["properties"]["spec"]["properties"]
    assert spec["refreshInterval"]["default"] == "1h0m0s"
    assert spec["target"]["properties"]["deletionPolicy"]["default"] == "Retain"


def test_a_required_field_with_a_default_may_be_left_out() -> None:
    """The API server fills it in first."""
    fields = {"a": {"type": "boolean", "default": False}, "b": {"type": "string"}}
    spec = {"type": "object", "required": ["a", "b"], "properties": fields}
    only = {"type": "object", "required": ["a"], "properties": fields}
    schema = {"type": "object", "properties": {"spec": spec, "only": only}}
    (derived,) = derive_crd(_crd(schema), object_meta())
    assert derived.body["properties"]["spec"]["required"] == ["b"]
    assert "required" not in derived.body["properties"]["only"]


def test_a_password_generator_needs_no_more_than_the_api_server_asks_for() -> None:
    for version in eso_versions():
        path = KEPT / "external-secrets" / version / "generators.external-secrets.io/password_v1alpha1.json"
        body = {
            "apiVersion": "generators.external-secrets.io/v1alpha1",
            "kind": "Password",
            "metadata": {"name": "a"},
            "spec": {"length": 24},
        }
        assert Draft4Validator(Schema(path).body).is_valid(body)


def test_a_keyword_whose_meaning_is_not_known_is_refused_and_not_dropped() -> None:
    with pytest.raises(CannotDerive, match="'if' is not known"):
        list(derive_crd(_crd({"type": "object", "properties": {"a": {"if": {}}}}), object_meta()))


def test_a_field_that_has_the_name_of_a_keyword_is_a_field() -> None:
    properties = {name: {"type": "string"} for name in ("properties", "items", "format", "default", "$ref")}
    (derived,) = derive_crd(_crd({"type": "object", "properties": properties}), object_meta())
    assert {name: derived.body["properties"][name] for name in properties} == properties


@pytest.mark.parametrize(
    "change",
    [
        {"apiVersion": "apiextensions.k8s.io/v1beta1"},
        {"kind": "Deployment"},
        {"spec": {}},
        {"spec": []},
        {"spec": {**_crd({})["spec"], "group": "../../etc"}},
        {"spec": {**_crd({})["spec"], "names": {"kind": "../x"}}},
    ],
    ids=["old api", "other kind", "empty", "no mapping", "group is a path", "kind is a path"],
)
def test_what_is_no_whole_crd_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CannotDerive):
        list(derive_crd(_crd({"type": "object"}) | change, object_meta()))


def test_sharing_moves_only_what_is_repeated_and_never_touches_data() -> None:
    selector = {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[a-z0-9-]{1,253}$" * 5}},
    }
    root = {
        "properties": {
            "a": selector,
            "b": {"items": selector},
            "c": {"default": selector, "enum": [selector]},
        },
        "definitions": {"own": {"type": "string"}},
    }
    shared = share(root)
    reference = {"$ref": "#/definitions/s1"}
    assert shared["properties"] == {"a": reference, "b": {"items": reference}, "c": root["properties"]["c"]}
    assert shared["definitions"] == {"own": {"type": "string"}, "s1": selector}


def test_the_flags_of_a_pattern_come_first() -> None:
    (derived,) = derive_crd(
        _crd({"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?i)(abort|warn)?$"}}}),
        object_meta(),
    )
    assert derived.body["properties"]["a"]["pattern"] == "(?i)^(abort|warn)?$"


def test_a_constraint_has_the_schema_that_its_template_says(tmp_path: Path) -> None:
    template = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "mustbe"},
        "spec": {
            "crd": {
                "spec": {
                    "names": {"kind": "MustBe"},
                    "validation": {
                        "openAPIV3Schema": {"type": "object", "properties": {"words": {"type": "array"}}}
                    },
                }
            }
        },
    }
    (derived,) = derive_crd(constraint_crd(template), object_meta())
    assert str(derived.path) == "constraints.gatekeeper.sh/mustbe_v1beta1.json"
    validator = Draft4Validator(derived.body)
    constraint: dict[str, Any] = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "MustBe",
        "metadata": {"name": "short"},
        "spec": {"enforcementAction": "deny", "match": {"kinds": []}, "parameters": {"words": ["a"]}},
    }
    assert validator.is_valid(constraint)
    constraint["spec"]["parameters"] = {"wrods": ["a"]}
    assert not validator.is_valid(constraint)


@pytest.mark.parametrize("template", [{}, {"spec": None}, {"spec": {"crd": {"spec": {"names": {}}}}}])
def test_half_a_constraint_template_is_refused(template: dict[str, Any]) -> None:
    with pytest.raises(CannotDerive, match="not a whole ConstraintTemplate"):
        constraint_crd({"kind": "ConstraintTemplate", "metadata": {"name": "x"}, **template})


def test_a_template_whose_name_gatekeeper_would_refuse_is_refused() -> None:
    spec = {"crd": {"spec": {"names": {"kind": "MustBe"}}}}
    with pytest.raises(CannotDerive, match="its name must be its kind in lower case, mustbe"):
        constraint_crd({"kind": "ConstraintTemplate", "metadata": {"name": "must-be"}, "spec": spec})


@pytest.mark.parametrize("name", ["template.yaml", "accounts-template.yaml"])
def test_the_schema_of_our_own_constraint_is_that_of_its_template(name: str) -> None:
    template = ROOT / "arcan_gitops/deploy/kustomize/components/policies/gatekeeper" / name
    (document,) = read_documents(template.read_bytes(), str(template))
    (derived,) = derive_crd(constraint_crd(document), object_meta())
    (kept,) = KEPT.glob(f"gatekeeper/*/{derived.path}")
    assert kept.read_bytes() == derived.text()
