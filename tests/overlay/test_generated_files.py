"""The tree on disk: only what is ours is written or removed, and the rest is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.overlay import ForeignFiles, compare
from arcan_gitops.overlay.tree import header

HEAD = header(["arcan.yaml", "apps/shop.yaml"])
TREE = {
    "prod/kustomization.yaml": HEAD + "resources:\n- apps/shop.yaml\n",
    "prod/shop/apps/shop.yaml": HEAD + "a: 1\n",
    "staging/kustomization.yaml": HEAD + "b: 1\n",
}


def files(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "overlays"
    compare(root, TREE).write()
    return root


def test_what_is_written_is_the_tree(root: Path):
    assert files(root) == TREE


def test_a_second_run_writes_nothing(root: Path):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    changes = compare(root, TREE).write()
    assert (changes.written, changes.removed, len(changes.unchanged)) == ((), (), 3)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_only_what_changed_is_written(root: Path):
    changes = compare(root, {**TREE, "prod/shop/apps/shop.yaml": HEAD + "a: 2\n"}).write()
    assert changes.written == ("prod/shop/apps/shop.yaml",)


def test_a_file_that_is_no_longer_generated_goes_with_its_empty_folder(root: Path):
    changes = compare(root, {path: text for path, text in TREE.items() if path.startswith("prod")}).write()
    assert changes.removed == ("staging/kustomization.yaml",)
    assert not (root / "staging").exists()


def test_an_edit_by_hand_is_undone_and_shown_by_the_difference(root: Path):
    (root / "prod/shop/apps/shop.yaml").write_text(HEAD + "a: 3")
    assert compare(root, TREE).diff() == (
        f"--- a/{root}/prod/shop/apps/shop.yaml\n+++ b/{root}/prod/shop/apps/shop.yaml\n@@ -1,3 +1,3 @@\n"
        + "".join(f" {line}\n" for line in HEAD.splitlines())
        + "-a: 3\n\\ No newline at end of file\n+a: 1\n"
    )
    compare(root, TREE).write()
    assert files(root) == TREE
    assert compare(root, TREE).diff() == ""


def test_the_difference_shows_new_and_stale_files(root: Path):
    tree = {"prod/kustomization.yaml": TREE["prod/kustomization.yaml"], "qa/x.yaml": HEAD + "x: 1\n"}
    difference = compare(root, tree).diff()
    assert f"--- a/{root}/prod/shop/apps/shop.yaml\n+++ /dev/null\n" in difference
    assert f"--- /dev/null\n+++ b/{root}/qa/x.yaml\n" in difference
    assert files(root) == TREE, "a difference writes nothing"


@pytest.mark.parametrize(
    "path", ["prod/README.md", "prod/shop/apps/shop.yaml", "prod/apps/mine.yaml", "staging/x/y"]
)
def test_a_foreign_file_in_an_overlay_stops_everything_and_is_kept(tmp_path: Path, path: str):
    root = tmp_path / "overlays"
    foreign = root / path
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine\n")
    with pytest.raises(ForeignFiles) as error:
        compare(root, TREE)  # which comes before a difference, and before anything is written
    assert str(foreign) in error.value.message
    assert files(root) == {path: "mine\n"}


def test_all_foreign_files_are_named_at_once(root: Path):
    (root / "prod/one.yaml").write_text("1")
    (root / "staging/two.yaml").write_text("2")
    with pytest.raises(ForeignFiles, match=r"prod/one\.yaml, .*staging/two\.yaml"):
        compare(root, TREE).write()


def test_an_overlay_made_by_hand_beside_ours_is_left_alone(root: Path):
    for path in ("README.md", "by-hand/kustomization.yaml", "prod/.gitkeep"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("mine")
    compare(root, {}).write()
    assert files(root) == {
        "README.md": "mine",
        "by-hand/kustomization.yaml": "mine",
        "prod/.gitkeep": "mine",
    }


def test_nothing_is_written_through_a_link(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "overlays"
    root.mkdir()
    (root / "prod").symlink_to(elsewhere)
    with pytest.raises(ForeignFiles, match="overlays/prod"):
        compare(root, TREE).write()
    assert list(elsewhere.iterdir()) == []


def test_a_link_to_a_generated_file_is_foreign(root: Path, tmp_path: Path):
    target = tmp_path / "target.yaml"
    (root / "prod/shop/apps/shop.yaml").rename(target)
    (root / "prod/shop/apps/shop.yaml").symlink_to(target)
    with pytest.raises(ForeignFiles, match=r"apps/shop\.yaml"):
        compare(root, {**TREE, "prod/shop/apps/shop.yaml": HEAD + "a: 2\n"}).write()
    assert target.read_text() == TREE["prod/shop/apps/shop.yaml"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "overlays").write_text("a file")
    with pytest.raises(CannotWrite, match="overlays/prod"):
        compare(tmp_path / "overlays", TREE).write()


@pytest.mark.parametrize("written", range(3))
def test_an_interrupted_run_never_leaves_a_kustomization_that_lists_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
):
    left = [written]

    def replace_some(path: Path, data: bytes, *, durable: bool) -> None:
        if not left[0]:
            raise CannotWrite("interrupted")
        left[0] -= 1
        replace_file(path, data, durable=durable)

    monkeypatch.setattr("arcan_gitops.overlay.tree.replace_file", replace_some)
    apps = {"prod/shop/apps/shop.yaml": HEAD + "a: 1\n", "prod/shop/stores.yaml": HEAD + "b: 1\n"}
    root = tmp_path / "overlays"
    with pytest.raises(CannotWrite):
        compare(root, {"prod/kustomization.yaml": HEAD + "resources: [apps, stores]\n", **apps}).write()
    assert len(files(root)) == written
    assert "prod/kustomization.yaml" not in files(root)
