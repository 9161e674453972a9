"""What a person edits of an environment in files: only the files of the keys that changed are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.clear_text import apply_changes, clear_text, read_clear_text
from arcan_gitops.realms.environment import keys_of, open_environment
from arcan_gitops.realms.key_files import FilesEdit, OpenFiles
from arcan_gitops.realms.writing import ChangedMeanwhile
from tests.support.realm_files import CANARY, new_identity

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")
IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])


@pytest.fixture
def tree(tmp_path: Path) -> RealmTree:
    (tmp_path / ".sops.yaml").write_text(f"creation_rules:\n  - age: {RECIPIENT}\n")
    folder = tmp_path / "realms/shop/prod"
    folder.mkdir(parents=True)
    for key in "ABC":
        data = sops.encrypt({key: f"{CANARY}-{key}"}, recipients=[RECIPIENT], place="shop/prod")
        (folder / f"{key}.sops.yaml").write_bytes(data)
    return RealmTree(tmp_path / "realms")


def opened(tree: RealmTree, identities: sops.Identities = HELD) -> OpenFiles:
    found = open_environment(tree, SHOP, PROD, identities)
    assert isinstance(found, OpenFiles)
    return found


def state(tree: RealmTree) -> dict[str, bytes]:
    return {path.name.split(".")[0]: path.read_bytes() for path in (tree.root / "shop/prod").iterdir()}


def typed(edit: FilesEdit, old: str, new: str) -> tuple[str, ...]:
    text = clear_text(edit.tree)
    changed = text.decode().replace(old, new).encode()
    return apply_changes(edit, read_clear_text(text), read_clear_text(changed))


def test_only_the_file_of_a_changed_value_is_written_and_it_keeps_its_data_key(tree: RealmTree) -> None:
    before = state(tree)
    edit = opened(tree).edit()
    assert typed(edit, f"{CANARY}-B", "other") == ("B",)
    assert edit.save()
    after = state(tree)
    assert {key for key in after if after[key] != before[key]} == {"B"}
    assert sops.outline(after["B"]).metadata.groups == sops.outline(before["B"]).metadata.groups
    assert opened(tree).edit().tree["B"] == "other"


def test_keys_are_added_removed_and_renamed(tree: RealmTree) -> None:
    edit = opened(tree).edit()
    typed(edit, f"A: {CANARY}-A", f"Z: {CANARY}-A\nNEW: {{x: 1}}")
    edit.unset("C")
    assert edit.keys == ("B", "NEW", "Z")
    assert edit.save()
    assert keys_of(tree, SHOP, PROD) == ("B", "NEW", "Z")
    values = opened(tree).edit().tree
    assert (values["Z"], values["NEW"]) == (f"{CANARY}-A", {"x": 1})


def test_an_edit_of_nothing_writes_nothing(tree: RealmTree) -> None:
    before = state(tree)
    edit = opened(tree).edit()
    assert dict(edit.tree)["A"] == f"{CANARY}-A"
    edit.set("A", f"{CANARY}-A")
    assert (edit.changed(), edit.save(), state(tree)) == (False, False, before)


def test_all_is_written_or_nothing(tree: RealmTree, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(tree)
    wrong = opened(tree)
    with pytest.raises(SeveralErrors, match="nothing was changed"):
        wrong.put({"A": "x", "B": "", "X": ""})
    assert state(tree) == before
    real, calls = Path.unlink, []

    def failing(path: Path, missing_ok: bool = False) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise OSError(13, "Permission denied")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", failing)
    with pytest.raises(ArcanError, match="cannot be removed"):
        opened(tree).write({"A": "x", "NEW": "y"}, {}, ("C",))
    monkeypatch.undo()
    assert state(tree) == before


def test_a_link_to_another_keys_file_is_replaced_and_not_followed(tree: RealmTree) -> None:
    before = state(tree)
    link = tree.root / "shop/prod/A.sops.yaml"
    link.unlink()
    link.symlink_to("B.sops.yaml")
    opened(tree).put({"A": "new"})
    assert not link.is_symlink()
    assert state(tree)["B"] == before["B"]
    assert opened(tree).edit().tree["A"] == "new"


def test_of_two_edits_of_one_file_the_second_is_refused(tree: RealmTree) -> None:
    mine, yours = opened(tree), opened(tree)
    mine.read("A")
    yours.put({"A": "yours"})
    with pytest.raises(ChangedMeanwhile, match=r"A\.sops\.yaml: was changed meanwhile"):
        mine.put({"A": "mine"})
    opened(tree).put({"B": "mine"})
    assert opened(tree).edit().tree["A"] == "yours"


def test_nothing_of_a_value_is_shown_by_what_holds_it(tree: RealmTree) -> None:
    found = opened(tree)
    edit = found.edit()
    assert edit.tree["A"]
    edit.set("NEW", CANARY)
    assert CANARY not in f"{found!r} {edit!r} {edit.tree!r}"


def test_a_renamed_key_for_which_another_rule_is_gets_a_new_data_key(tree: RealmTree) -> None:
    _, other = new_identity()
    config = tree.root.parent / ".sops.yaml"
    config.write_text(
        f"creation_rules:\n  - path_regex: /SECRET\\.\n    age: {RECIPIENT},{other}\n  - age: {RECIPIENT}\n"
    )
    before = sops.load(state(tree)["A"], identities=HELD).key_digest
    edit = opened(tree).edit()
    edit.rename("A", "SECRET")
    edit.rename("B", "PLAIN")
    edit.save()
    after = state(tree)
    assert sops.outline(after["SECRET"]).metadata.recipients == (RECIPIENT, other)
    assert sops.load(after["SECRET"], identities=HELD).key_digest != before
    assert set(after) == {"C", "PLAIN", "SECRET"}
