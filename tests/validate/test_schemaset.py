"""Which kinds are known, and what is said of the others."""

from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.adding import add_schemas
from arcan_gitops.validate.derive import CannotDerive
from arcan_gitops.validate.schemaset import BrokenSchema, NoSuchKind, SchemaSet, eso_versions

WIDGETS = (Path(__file__).resolve().parent / "crds/external-secrets/v9.9.9/widgets.yaml").read_bytes()


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
        ("external-secrets.io/v1beta1", "SecretStore", "not served by this ESO version, only up to v0.16.2"),
        (
            "external-secrets.io/v7",
            "SecretStore",
            "no such version of SecretStore: there is external-secrets.io/v1",
        ),
        ("traefik.io/v1alpha1", "IngressRoute", "add its CRD with 'arcan schemas add CRD.yaml'"),
        ("v1", "secret", "did you mean 'Secret'"),
        ("/v1", "ConfigMap/../Secret", "no such kind"),
        ("../v1", "Secret", "no such kind"),
    ],
)
def test_a_kind_without_a_schema_is_an_error_that_says_what_there_is(
    api_version: str, kind: str, message: str
) -> None:
    with pytest.raises(NoSuchKind, match=message):
        SchemaSet("v2.9.0").find(api_version, kind)


def test_an_added_crd_gives_a_schema_for_each_served_version_only(tmp_path: Path) -> None:
    assert add_schemas([("widgets.yaml", WIDGETS)], tmp_path) == (tmp_path / "example.com/widget_v1.json",)
    schemas = SchemaSet("v2.9.0", tmp_path)
    assert schemas.find("example.com/v1", "Widget").known.kind == "Widget"
    with pytest.raises(NoSuchKind, match=r"there is example\.com/v1"):
        schemas.find("example.com/v1beta1", "Widget")


def test_a_bad_file_among_those_added_means_that_nothing_is_written(tmp_path: Path) -> None:
    bad = WIDGETS.replace(b"maxLength", b"maxLenght")
    with pytest.raises(CannotDerive, match=r"bad\.yaml: .*'maxLenght' is not known"):
        add_schemas([("widgets.yaml", WIDGETS), ("bad.yaml", bad)], tmp_path)
    with pytest.raises(ArcanError, match=r"none\.yaml: has no CustomResourceDefinition"):
        add_schemas([("widgets.yaml", WIDGETS), ("none.yaml", b"kind: ConfigMap\n")], tmp_path)
    assert list(tmp_path.iterdir()) == []


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
