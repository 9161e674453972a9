"""`raw` entries are judged by ESO's schema and by the lint rules before anything is written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from arcan_gitops.cli import main
from arcan_gitops.yamlio import read_documents

ROOT = Path(__file__).parents[2]
STORE = "stores: {raw: {op: {provider: {PROVIDER}}}}\n"
GCP = "gcpsm: {projectID: p}"


Generated = tuple[int, str, Path]


def generate(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spec: str,
    provider: str = GCP,
    version: str = "2.9.0",
) -> Generated:
    """(exit code, standard error, the generated app file)."""
    settings = f"esoVersion: {version}\noverlays: {{prod: {{environment: prod}}}}\n"
    settings += STORE.replace("PROVIDER", provider)
    app = f"name: shop\nstore: op\nnamespace: shop\nraw:\n- name: found\n  spec: {spec}\n"
    return run(tmp_path, monkeypatch, capsys, settings, app)


def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: str,
    app: str,
) -> Generated:
    kustomize = tmp_path / "kustomize"
    (kustomize / "apps").mkdir(parents=True)
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    (kustomize / "arcan.yaml").write_text(settings)
    (kustomize / "apps" / "shop.yaml").write_text(app)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["arcan", "generate", "overlays"])
    with pytest.raises(SystemExit) as status:
        main()
    return (
        int(status.value.code or 0),
        capsys.readouterr().err,
        kustomize / "overlays" / "prod" / "shop" / "apps" / "shop.yaml",
    )


FIND = "{refreshInterval: 1h0m0s, dataFrom: [{find: {name: {regexp: '^a'}}}], target: {name: all}}"


def test_what_eso_s_schema_takes_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err, file = generate(tmp_path, monkeypatch, capsys, FIND)
    assert code == 0, err
    assert "regexp: ^a" in file.read_text()


@pytest.mark.parametrize(
    ("spec", "provider", "version", "problem"),
    [
        ("{dataFrom: [{fnd: {}}]}", GCP, "2.9.0", "ExternalSecret found: "),
        ("{data: [{secretKey: a}]}", GCP, "2.9.0", "remoteRef"),
        (FIND, "gcpsm: {project: p}", "2.9.0", "SecretStore op: "),
        (FIND, "nosuchprovider: {}", "2.9.0", "SecretStore op: "),
        (
            "{refreshInterval: 1h, data: [{secretKey: a, remoteRef: {key: a, nullBytePolicy: Fail}}]}",
            GCP,
            "1.3.2",
            "nullBytePolicy",
        ),
    ],
)
def test_what_the_schema_refuses_is_not_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spec: str,
    provider: str,
    version: str,
    problem: str,
) -> None:
    code, err, file = generate(tmp_path, monkeypatch, capsys, spec, provider, version)
    assert code != 0
    assert problem in err
    assert not file.exists()


TWO = "overlays: {prod: {environment: prod}, staging: {environment: staging}}\n"
RAW = "name: shop\nstore: op\nnamespace: shop\nraw:\n- name: found\n  spec: SPEC\n"


def test_what_is_wrong_with_an_entry_is_told_once_at_the_line_where_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = RAW.replace("SPEC", "{refreshInterval: 1h, dataFrom: [{fnd: {}}]}")
    code, err, _ = run(tmp_path, monkeypatch, capsys, TWO + STORE.replace("PROVIDER", GCP), app)
    assert code == 1
    [line] = [line for line in err.splitlines() if "unknown field 'fnd'" in line]
    assert line.startswith("  kustomize/apps/shop.yaml:5: ExternalSecret found: ")
    assert line.endswith(" (in overlays prod, staging)")
    assert "prod/shop" not in err


def test_a_warning_of_lint_points_at_the_entry_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = RAW.replace("SPEC", "{refreshInterval: 0s, dataFrom: [{find: {name: {regexp: a}}}]}")
    code, err, _ = run(tmp_path, monkeypatch, capsys, TWO + STORE.replace("PROVIDER", GCP), app)
    assert code == 0
    warnings = [line for line in err.splitlines() if "ARC0" in line]
    assert warnings
    assert all("kustomize/apps/shop.yaml:5: ARC0" in line for line in warnings)


@pytest.mark.parametrize("scope", ["namespace", "cluster"])
def test_a_store_that_nothing_reads_is_judged_at_its_line(
    scope: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = f"\n    idle: {{scope: {scope}, provider: {{gcpsm: {{project: p}}}}}}\n"
    settings = f"{TWO}stores:\n  raw:\n    op: {{provider: {{{GCP}}}}}{idle}"
    code, err, file = run(tmp_path, monkeypatch, capsys, settings, RAW.replace("SPEC", FIND))
    assert code == 1
    kind = "SecretStore" if scope == "namespace" else "ClusterSecretStore"
    assert f"kustomize/arcan.yaml:5: {kind} idle: " in err
    assert "(in overlays prod, staging)" in err
    assert not file.exists()


MORE = "controller: c, refreshInterval: 300, retrySettings: {maxRetries: 3, retryInterval: 10s}"


def test_a_store_takes_what_eso_has_beside_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conditions = "conditions: [{namespaceRegexes: ['^shop']}]"
    settings = (
        f"stores: {{raw: {{op: {{scope: cluster, {MORE}, {conditions}, provider: {{{GCP}}}}}}}}}\n"
        "overlays: {prod: {environment: prod, stores: {raw: {op: {refreshInterval: 60}}}}}\n"
    )
    code, err, file = run(tmp_path, monkeypatch, capsys, settings, RAW.replace("SPEC", FIND))
    assert code == 0, err
    stores = file.parents[2] / "_platform" / "cluster-stores.yaml"
    [store] = read_documents(stores.read_bytes(), "stores")
    assert store["spec"] == {
        "provider": {"gcpsm": {"projectID": "p"}},
        "conditions": [{"namespaceRegexes": ["^shop"]}],
        "controller": "c",
        "refreshInterval": 60,
        "retrySettings": {"maxRetries": 3, "retryInterval": "10s"},
    }


def test_what_eso_does_not_take_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (
        f"esoVersion: 1.3.2\n{TWO}stores: {{raw: {{op: {{refreshInterval: 1h, provider: {{{GCP}}}}}}}}}\n"
    )
    code, err, _ = run(tmp_path, monkeypatch, capsys, settings, RAW.replace("SPEC", FIND))
    assert code == 1
    assert "kustomize/arcan.yaml:3: SecretStore op: spec.refreshInterval" in err
