"""Which kinds are known, and what is said of the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.validate.adding import add_schemas
from arcan_gitops.validate.derive import CannotDerive
from arcan_gitops.validate.schemaset import (
    BrokenSchema,
    NoSchemasOfVersion,
    NoSuchKind,
    SchemaSet,
    eso_version_for,
    eso_versions,
)
from arcan_gitops.yamlio import emit, read_documents

CRDS = Path(__file__).resolve().parent / "crds"
WIDGETS = (CRDS / "external-secrets/v9.9.9/widgets.yaml").read_bytes()
OPENAPI = CRDS / "kubernetes/v1.0.0.json"


def test_the_kept_eso_versions_are_in_order_of_release() -> None:
    assert eso_versions() == ("v0.16.2", "v0.20.4", "v1.3.2", "v2.9.0")


@pytest.mark.parametrize("version", eso_versions())
def test_every_eso_version_knows_the_kinds_that_this_project_emits(version: str) -> None:
    schemas = SchemaSet(version)
    for kind in ("SecretStore", "ClusterSecretStore", "ExternalSecret", "ClusterExternalSecret"):
        assert schemas.find("external-secrets.io/v1", kind).known.kind == kind
    for kind in ("Secret", "ConfigMap", "Namespace"):
        assert schemas.find("v1", kind).known.kind == kind
    for kind in ("Application", "AppProject"):
        assert schemas.find("argoproj.io/v1alpha1", kind).known.kind == kind


@pytest.mark.parametrize(
    ("api_version", "kind", "message"),
    [
        ("external-secrets.io/v1", "SecretStores", "did you mean 'SecretStore'"),
        (
            "external-secrets.io/v1beta1",
            "SecretStore",
            r"not served by this ESO version, but by v0\.16\.2: write",
        ),
        (
            "external-secrets.io/v7",
            "SecretStore",
            "no such version of SecretStore: there is external-secrets.io/v1",
        ),
        (
            "generators.external-secrets.io/v1alpha1",
            "Passwort",
            "no such kind in this ESO version; did you mean 'Pass",
        ),
        (
            "external-secrets.io/v1",
            "Robot",
            "has ClusterExternalSecret, .*kubectl get crds -o yaml | arcan sch",
        ),
        ("traefik.io/v1alpha1", "IngressRoute", "no schema for .*; add its CRD: arcan schemas add CRD.yaml"),
        ("external-secret.io/v1", "SecretStore", "did you mean 'external-secrets.io'.*arcan schemas add CRD"),
        (
            "monitoring.coreos.com/v1",
            "Alertmanager",
            "no schema for .*; add its CRD: arcan schemas add CRD.yaml",
        ),
        (
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            "there is one for autoscaling/v2; add the cluster's own: k",
        ),
        ("v1", "PersistentVolume", "no schema for v1 PersistentVolume; .*/openapi/v2 | arcan schemas add -"),
        ("v1", "secret", "did you mean 'Secret'"),
        ("/v1", "ConfigMap/../Secret", "no such kind: Kubernetes allows no such"),
        ("../v1", "Secret", "no such kind: Kubernetes allows no such"),
    ],
)
def test_a_kind_without_a_schema_is_an_error_that_says_what_there_is(
    api_version: str, kind: str, message: str
) -> None:
    with pytest.raises(NoSuchKind, match=message):
        SchemaSet("v2.9.0").find(api_version, kind)


def test_an_added_crd_gives_a_schema_for_each_served_version_only(tmp_path: Path) -> None:
    added = add_schemas([("widgets.yaml", WIDGETS)], tmp_path)
    assert added.written == (tmp_path / "example.com/widget_v1.json",)
    schemas = SchemaSet("v2.9.0", tmp_path)
    assert schemas.find("example.com/v1", "Widget").known.kind == "Widget"
    with pytest.raises(NoSuchKind, match=r"there is one for example\.com/v1;"):
        schemas.find("example.com/v1beta1", "Widget")


def test_a_bad_file_among_those_added_means_that_nothing_is_written(tmp_path: Path) -> None:
    bad = WIDGETS.replace(b"maxLength", b"maxLenght")
    with pytest.raises(CannotDerive, match=r"bad\.yaml: .*'maxLenght' is not known"):
        add_schemas([("widgets.yaml", WIDGETS), ("bad.yaml", bad)], tmp_path)
    with pytest.raises(ArcanError, match=r"none\.yaml: has no CustomResourceDefinition"):
        add_schemas([("widgets.yaml", WIDGETS), ("none.yaml", b"kind: ConfigMap\n")], tmp_path)
    assert list(tmp_path.iterdir()) == []


PUSHING = ("external-secrets.io/v1alpha1", ("PushSecret", "ClusterPushSecret"))
GENERATING = (
    "generators.external-secrets.io/v1alpha1",
    ("ACRAccessToken", "ClusterGenerator", "ECRAuthorizationToken", "Fake", "GCRAccessToken", "GeneratorState",
     "GithubAccessToken", "Grafana", "Password", "QuayAccessToken", "STSSessionToken", "UUID",
     "VaultDynamicSecret", "Webhook"),
)  # fmt: skip


@pytest.mark.parametrize("version", eso_versions())
def test_every_eso_version_knows_what_pushes_and_what_generates(version: str) -> None:
    schemas = SchemaSet(version)
    for api_version, kinds in (PUSHING, GENERATING):
        for kind in kinds:
            assert schemas.find(api_version, kind).known.kind == kind


def test_a_generator_that_came_later_is_said_to_be_in_the_versions_that_have_it() -> None:
    with pytest.raises(
        NoSuchKind, match=r"not served by this ESO version, but by v0\.20\.4, v1\.3\.2, v2\.9\.0$"
    ):
        SchemaSet("v0.16.2").find("generators.external-secrets.io/v1alpha1", "SSHKey")


def crd(kind: str, group: str = "external-secrets.io", *versions: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    served = [{"name": name, "served": True, "schema": schema} for name in versions or ("v1",)]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}"},
        "spec": {"group": group, "names": {"kind": kind}, "scope": "Namespaced", "versions": served},
    }


WHOLE = ("ClusterExternalSecret", "ClusterSecretStore", "ExternalSecret", "SecretStore", "Robot")
BUNDLE = emit([*(crd(kind) for kind in WHOLE), crd("Dice", "generators.external-secrets.io", "v1alpha1")])


@pytest.mark.parametrize(
    "bundle",
    [BUNDLE, emit([{"apiVersion": "v1", "kind": "List", "items": read_documents(BUNDLE.encode(), "")}])],
)
def test_a_whole_bundle_makes_a_version_of_eso_usable(tmp_path: Path, bundle: str) -> None:
    add_schemas([("bundle.yaml", bundle.encode())], tmp_path, EsoVersion(2, 14))
    assert eso_versions(tmp_path)[-2:] == ("v2.9.0", "v2.14.0")
    schemas = SchemaSet(eso_version_for(EsoVersion(2, 14), tmp_path), tmp_path)
    assert (schemas.eso_version, schemas.known_up_to) == ("v2.14.0", "v2.14.0")
    assert schemas.find("external-secrets.io/v1", "Robot").known.kind == "Robot"
    assert schemas.find("generators.external-secrets.io/v1alpha1", "Dice").known.kind == "Dice"
    assert schemas.find("v1", "Secret").known.kind == "Secret"
    with pytest.raises(NoSuchKind, match=r"PushSecret is not served by this ESO version"):
        schemas.find("external-secrets.io/v1alpha1", "PushSecret")
    with pytest.raises(NoSuchKind, match=r"no such kind in this ESO version"):
        SchemaSet("v2.9.0", tmp_path).find("external-secrets.io/v1", "Robot")


def test_a_part_of_a_bundle_is_no_version_of_eso(tmp_path: Path) -> None:
    part = emit([crd(kind) for kind in WHOLE[1:]]).encode()
    with pytest.raises(ArcanError, match=r"not all kinds of ESO 2\.14\.0: ClusterExternalSecret is missing"):
        add_schemas([("part.yaml", part)], tmp_path, EsoVersion(2, 14))
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_comes_with_the_package_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(ArcanError, match=r"the schemas of ESO 2\.9\.0 come with the package"):
        add_schemas([("bundle.yaml", BUNDLE.encode())], tmp_path, EsoVersion(2, 9))


def test_what_a_cluster_has_is_added_but_for_what_is_kept(tmp_path: Path) -> None:
    cluster = emit(
        [{"kind": "List", "items": [crd("Widget", "example.com"), crd("ExternalSecret"), crd("Robot")]}]
    )
    added = add_schemas([("-", cluster.encode())], tmp_path)
    assert added.written == (tmp_path / "example.com/widget_v1.json",)
    assert added.left_out == ("external-secrets.io/v1 ExternalSecret", "external-secrets.io/v1 Robot")


def test_the_built_in_kinds_of_a_cluster_are_added_from_its_openapi_definitions(tmp_path: Path) -> None:
    document = json.loads(OPENAPI.read_bytes())
    meta = {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    for kind, metadata in (("PersistentVolumeClaim", meta), ("Node", meta), ("PodList", {"type": "object"})):
        document["definitions"][f"io.k8s.api.core.v1.{kind}"] = {
            "type": "object",
            "properties": {"metadata": metadata},
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": kind}],
        }
    added = add_schemas([("-", json.dumps({"swagger": "2.0", **document}).encode())], tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in added.written}
    assert written == {"v1/persistentvolumeclaim_v1.json", "v1/node_v1.json"}
    schemas = SchemaSet("v2.9.0", tmp_path)
    assert (
        "namespace"
        in schemas.find("v1", "PersistentVolumeClaim").body["properties"]["metadata"]["properties"]
    )
    assert "namespace" not in schemas.find("v1", "Node").body["properties"]["metadata"]["properties"]


@pytest.mark.parametrize(
    ("asked", "judged_by"), [("0.16", "v0.16.2"), ("2.9.7", "v2.9.0"), ("1.3.2", "v1.3.2")]
)
def test_a_version_is_judged_by_the_schemas_of_its_minor(asked: str, judged_by: str) -> None:
    assert eso_version_for(EsoVersion.parse(asked), None) == judged_by


@pytest.mark.parametrize("asked", ["9.9.9", "2.14.0", "1.2"])
def test_a_version_without_schemas_is_refused_with_the_command_that_adds_them(asked: str) -> None:
    version = EsoVersion.parse(asked)
    with pytest.raises(NoSchemasOfVersion, match=r"there are v0\.16\.2, .*, v2\.9\.0$") as refused:
        eso_version_for(version, None)
    assert f"kubectl get crds -o yaml | arcan schemas add --eso-version {version} -" in str(
        refused.value.hint
    )


def test_the_schema_of_the_package_comes_before_an_own_one(tmp_path: Path) -> None:
    """Else a folder in the repository could switch the check of a version off."""
    own = tmp_path / "v1/secret_v1.json"
    own.parent.mkdir()
    own.write_text('{"type": "object"}')
    assert SchemaSet("v2.9.0", tmp_path).find("v1", "Secret").path != own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "must be a JSON object"),
        (
            '{"properties": {"a": {"$ref": "https://example.com/a.json"}}}',
            "refers to another file or address",
        ),
        ('{"properties": {"a": {"$ref": "other.json"}}}', "refers to another file or address"),
        ('{"pattern": "(?=a)"}', "not of RE2's syntax"),
    ],
)
def test_a_schema_that_an_engine_could_not_use_or_would_fetch_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "example.com").mkdir()
    (tmp_path / "example.com/widget_v1.json").write_text(text)
    with pytest.raises(BrokenSchema, match=message):
        SchemaSet("v2.9.0", tmp_path).find("example.com/v1", "Widget")
