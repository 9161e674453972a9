"""An app in a repository of its own: the inventory is all that it needs of the realms."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.cli import main
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.overlay.inventory import inventory_text, read_inventories
from arcan_gitops.yamlio import InvalidFile, read_documents
from tests.support.git import GitRepository

ROOT = Path(__file__).resolve().parents[2]
APP = "name: shop\nrealm: production\ntoken: shop\nnamespace: shop\nsecrets: [{name: s, keys: [DATABASE_URL]}]\n"
SERVED = "overlays: {prod: {environment: prod, server: {deploy: {image: 'arcan:1', select: ['*/prod']}}}}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def arcan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`arcan generate` in a repository that holds an app's file and nothing of a realm."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(APP)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["arcan", "generate", *arguments])
        with pytest.raises(SystemExit) as status:
            main()
        out, err = capsys.readouterr()
        return int(status.value.code or 0), out, err

    return run


@pytest.fixture
def inventory(arcan: Run, tmp_path: Path) -> Path:
    """The inventory of the sample realm, carried over."""
    realms = tmp_path / "elsewhere" / "realms"
    shutil.copytree(ROOT / "realms", realms)
    assert arcan("inventory", "--realms", str(realms))[0] == 0
    shutil.copy(realms / "production" / "inventory.yaml", tmp_path / "inventory.yaml")
    shutil.rmtree(realms)
    return tmp_path / "inventory.yaml"


def test_the_overlays_are_those_of_the_platform_for_that_app(arcan: Run, inventory: Path, tmp_path: Path):
    status, _, err = arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    assert status == 0, err
    files = {
        path.relative_to(tmp_path / "deploy").as_posix() for path in (tmp_path / "deploy").rglob("*.yaml")
    }
    assert files == {
        f"{overlay}/{name}"
        for overlay in ("prod", "staging")
        for name in (
            "kustomization.yaml",
            "shop/kustomization.yaml",
            "shop/stores.yaml",
            "shop/apps/shop.yaml",
        )
    }
    version = load_catalogue(ROOT / "realms").contents["production", "prod"].keys["DATABASE_URL"]  # type: ignore[index]
    assert f"version: {version}" in (tmp_path / "deploy/prod/shop/apps/shop.yaml").read_text().replace(
        "'", ""
    )
    assert arcan("app", "shop.yaml", "--inventory", ".", "--output", "deploy", "--check")[0] == 0


def test_drift_is_shown_and_is_a_failure(arcan: Run, inventory: Path):
    arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    Path("shop.yaml").write_text(APP.replace("DATABASE_URL", "REDIS_URL"))
    status, out, err = arcan(
        "app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy", "--check"
    )
    assert status == 1
    assert "+  - secretKey: REDIS_URL" in out
    assert "deploy is not up to date" in err


def test_an_app_elsewhere_never_reads_from_a_store_that_may_be_of_another_realm(arcan: Run, inventory: Path):
    """The plain name is that of all apps with one token, and nobody knows of the others here."""
    Path("kustomize").mkdir()
    Path("kustomize/arcan.yaml").write_text(
        "stores: {scope: cluster}\noverlays: {prod: {environment: prod}}\n"
    )
    assert arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")[0] == 0
    [store] = read_documents(Path("deploy/prod/shop/stores.yaml").read_bytes(), "stores")
    assert (store["kind"], store["metadata"]["name"]) == ("SecretStore", "arcan.production.shop")
    webhook = store["spec"]["provider"]["webhook"]
    assert webhook["secrets"][0]["secretRef"]["name"] == "arcan-credentials.production.shop"
    [secret] = read_documents(Path("deploy/prod/shop/apps/shop.yaml").read_bytes(), "apps")
    assert secret["spec"]["secretStoreRef"] == {"kind": "SecretStore", "name": "arcan.production.shop"}


def test_a_declared_store_that_is_cluster_wide_is_left_to_the_platform(arcan: Run, inventory: Path):
    Path("kustomize").mkdir()
    Path("kustomize/arcan.yaml").write_text(
        "stores: {scope: cluster, webhook: {other: {url: 'https://a.example.com/{{ .remoteRef.key }}'}}}\n"
        "overlays: {prod: {environment: prod}}\n"
    )
    Path("shop.yaml").write_text(APP.replace("realm: production\ntoken: shop", "store: other"))
    assert arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")[0] == 0
    assert not Path("deploy/prod/_platform/cluster-stores.yaml").exists()
    assert "kind: ClusterSecretStore" in Path("deploy/prod/shop/apps/shop.yaml").read_text()


def test_many_namespaces_are_for_the_apps_of_the_platform(arcan: Run, inventory: Path):
    Path("shop.yaml").write_text(APP.replace("namespace: shop", "namespaces: [a, b]"))
    status, _, err = arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    assert status == 1
    assert "shop.yaml:4: many namespaces need a cluster-wide store, which is the platform's" in err


@pytest.mark.parametrize(
    ("old", "new", "problem", "hint"),
    [
        ("DATABASE_URL", "DATABSE_URL", "shop.yaml:5: key 'DATABSE_URL' does not exist", "'DATABASE_URL'"),
        ("token: shop", "token: mailer", "cannot be read by token 'mailer'", "SMTP_*"),
        ("token: shop", "token: shp", "no token named 'shp'", "'shop'"),
        ("realm: production", "realm: platform", "there is no realm 'platform'", "production"),
    ],
)
def test_what_the_inventory_does_not_have_is_an_error(
    arcan: Run, inventory: Path, old: str, new: str, problem: str, hint: str
):
    Path("shop.yaml").write_text(APP.replace(old, new))
    status, _, err = arcan("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    assert status == 1
    assert problem in err
    assert hint in err
    assert not Path("deploy").exists()


def test_without_an_inventory_the_error_says_how_to_make_one(arcan: Run):
    Path("realms").mkdir()
    status, _, err = arcan("app", "shop.yaml", "--output", "deploy")
    assert status == 1
    assert "realms: there is no inventory.yaml" in err
    assert "arcan generate inventory" in err


def test_an_inventory_holds_what_the_realm_files_hold_and_reads_back_the_same():
    catalogue = load_catalogue(ROOT / "realms")
    texts = [(inventory_text(realm, catalogue).encode(), realm) for realm in catalogue.realms()]
    read = read_inventories(texts)
    assert read == catalogue
    for text, _ in texts:
        assert b"ENC[" not in text
        assert b"sha256" not in text


def test_an_inventory_that_is_not_up_to_date_is_named(arcan: Run, tmp_path: Path):
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    assert arcan("inventory", "--check")[0] == 1
    assert arcan("inventory")[0] == 0
    assert arcan("inventory", "--check")[0] == 0
    assert arcan("overlays", "--check")[0] == 1  # no apps here; and the inventories are no documents
    path = tmp_path / "realms/production/inventory.yaml"
    path.write_text(path.read_text() + "# by hand\n")
    status, out, err = arcan("inventory", "--check")
    assert status == 1
    assert "-# by hand" in out
    assert "realms is not up to date" in err


def test_an_inventory_written_by_hand_is_not_replaced(arcan: Run, tmp_path: Path):
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    path = tmp_path / "realms/production/inventory.yaml"
    path.write_text("# by hand\n")
    status, _, err = arcan("inventory")
    assert status == 1
    assert f"in its way: {path.relative_to(tmp_path)}" in err
    assert path.read_text() == "# by hand\n"


def test_inventories_and_overlays_leave_the_files_of_each_other_alone(arcan: Run, tmp_path: Path):
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    shutil.copy("shop.yaml", "kustomize/apps/shop.yaml")
    (tmp_path / "kustomize/arcan.yaml").write_text(SERVED)
    for command in ("inventory", "overlays", "inventory"):
        assert arcan(command)[0] == 0
    assert (tmp_path / "realms/production/inventory.yaml").exists()
    assert (tmp_path / "realms/production/kustomization.yaml").exists()
    assert arcan("inventory", "--check")[0] == arcan("overlays", "--check")[0] == 0


def test_an_inventory_that_is_there_goes_with_the_overlays(arcan: Run, tmp_path: Path):
    """Else other repositories would name versions that no server answers any more, and nobody would know."""
    shutil.copytree(ROOT / "realms", tmp_path / "realms")
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    shutil.copy("shop.yaml", "kustomize/apps/shop.yaml")
    assert arcan("inventory")[0] == arcan("overlays")[0] == 0
    path = tmp_path / "realms/production/inventory.yaml"
    written = path.read_text()
    path.write_text(written.replace("DATABASE_URL", "DATABASE"))
    assert arcan("overlays", "--check")[0] == 1
    assert arcan("overlays")[0] == 0
    assert path.read_text() == written


def test_a_second_app_into_the_same_folder_is_an_error_and_deletes_nothing(
    arcan: Run, inventory: Path, tmp_path: Path
):
    options = ("--inventory", "inventory.yaml", "--output", "deploy")
    assert arcan("app", "shop.yaml", *options)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "deploy").rglob("*.yaml")}
    Path("web.yaml").write_text(APP.replace("name: shop", "name: web", 1))
    status, _, err = arcan("app", "web.yaml", *options)
    assert status == 1
    assert (
        "not written by 'arcan generate app web.yaml', and in its way: deploy/prod/kustomization.yaml" in err
    )
    assert {path: path.read_bytes() for path in (tmp_path / "deploy").rglob("*.yaml")} == before


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("realm: r", "relm: r", "i.yaml:1: unknown field 'relm'"),
        ("version: a", "vers: a", "i.yaml:4: unknown field 'vers'"),
        ("version: aaaaaaaaaaaa", "version: ''", "i.yaml:4: '' is not a valid version"),
        ("tokens: {}", "", "'tokens' is missing"),
        ("A: b", "'a b': b", "i.yaml:5: 'a b' is not a valid key name"),
        ("bbbbbbbbbbbb", "''", "i.yaml:5: '' is not a valid version"),
        ("bbbbbbbbbbbb", "BBBBBBBBBBBB", "i.yaml:5: 'BBBBBBBBBBBB' is not a valid version"),
        ("bbbbbbbbbbbb", "bbbbbbbbbbb", "i.yaml:5: 'bbbbbbbbbbb' is not a valid version"),
        ("bbbbbbbbbbbb", '"bbbbbbbbbbbb\\n"', "i.yaml:5: 'bbbbbbbbbbbb\\n' is not a valid version"),
    ],
)
def test_an_inventory_edited_by_hand_into_nonsense_is_refused(old: str, new: str, problem: str):
    text = "realm: r\nenvironments:\n  prod:\n    version: aaaaaaaaaaaa\n    keys: {A: bbbbbbbbbbbb}\ntokens: {}\n"
    with pytest.raises(InvalidFile) as error:
        read_inventories([(text.replace(old, new).encode(), "i.yaml")])
    assert problem in error.value.message


def test_what_goes_from_an_app_elsewhere_is_said_too(arcan: Run, inventory: Path, tmp_path: Path):
    command = ("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    Path("shop.yaml").write_text(APP.replace("}]", "}, {name: old, keys: [REDIS_URL]}]"))
    assert arcan(*command)[0] == 0
    repository = GitRepository(tmp_path)
    repository.commit()
    Path("shop.yaml").write_text(APP)
    status, _, err = arcan(*command)
    assert status == 1
    assert "nothing says that an entry of app 'shop' goes, with Secret 'old' in namespace 'shop'" in err
    Path("shop.yaml").write_text(APP.replace("}]", "}, {name: old, removed: 2026-11-28}]"))
    status, _, err = arcan(*command)
    assert status == 0, err
    assert "Kubernetes Secret 'old' in namespace 'shop' of overlay 'prod' goes: removed 2026-11-28" in err
    repository.git("checkout", "-q", "-b", "change")
    repository.commit()
    Path("shop.yaml").write_text(APP)
    assert arcan(*command)[0] == 0, "the commit says so already"
    repository.commit()
    status, _, err = arcan(*command, "--check", "--base", "main")
    assert status == 1
    assert "nothing says that an entry of app 'shop' goes" in err


def test_an_app_elsewhere_that_is_removed_leaves_tombstones(arcan: Run, inventory: Path, tmp_path: Path):
    command = ("app", "shop.yaml", "--inventory", "inventory.yaml", "--output", "deploy")
    assert arcan(*command)[0] == 0
    Path("shop.yaml").write_text("name: shop\nnamespace: shop\nremoved: 2026-11-28\n")
    assert arcan(*command)[0] == 0
    files = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "deploy").rglob("*.yaml")}
    folders = ("prod", "prod/shop", "staging", "staging/shop")
    assert files == {f"deploy/{folder}/kustomization.yaml" for folder in folders}
