"""`raw` entries are judged by ESO's schema and by the lint rules before anything is written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from arcan_gitops.cli import main

ROOT = Path(__file__).parents[2]
STORE = "stores: {raw: {op: {provider: {PROVIDER}}}}\n"
GCP = "gcpsm: {projectID: p}"


def generate(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spec: str,
    provider: str = GCP,
    version: str = "2.9.0",
) -> tuple[int, str, Path]:
    """(exit code, standard error, the generated app file)."""
    kustomize = tmp_path / "kustomize"
    (kustomize / "apps").mkdir(parents=True)
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    settings = f"esoVersion: {version}\noverlays: {{prod: {{environment: prod}}}}\n"
    (kustomize / "arcan.yaml").write_text(settings + STORE.replace("PROVIDER", provider))
    app = f"name: shop\nstore: op\nnamespace: shop\nraw:\n- name: found\n  spec: {spec}\n"
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
