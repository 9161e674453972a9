"""Branches that change different keys of an environment in files merge by themselves; `make merge-law` tries
1,000 pairs.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from arcan_gitops.realms import relayout
from arcan_gitops.realms.check import check
from arcan_gitops.realms.environment import open_environment
from tests.support.merge_law import PROD, SHOP, Edit, MergeLaw, drawn, run
from tests.support.realm_files import CANARY


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> MergeLaw:
    return MergeLaw(tmp_path_factory.mktemp("law") / "repository")


def test_random_pairs_merge_without_a_conflict_and_hold_both_edits(tmp_path: Path) -> None:
    outcome = run(4, seed=2026, folder=tmp_path)
    assert (outcome.pairs, outcome.broken) == (4, [])


def test_the_law_is_about_what_is_generated_too(tmp_path: Path) -> None:
    law = MergeLaw(tmp_path / "repository", shards=16)
    law.declare_apps()
    law.branch("one", Edit({"KEY_00": CANARY}, ()))
    changed = law.git.git("diff", "--name-only", law.start, "one").splitlines()
    assert "kustomize/overlays/prod/one/apps/one.yaml" in changed
    assert "realms/shop/prod/KEY_00.sops.yaml" in changed
    assert "KEY_00.sops.yaml" in (law.tree.root / "shop/kustomization.yaml").read_text()


def test_drawn_pairs_touch_different_keys_and_do_all_that_an_edit_can() -> None:
    random_ = random.Random(1)
    pairs = [drawn(random_) for _ in range(200)]
    for ours, theirs in pairs:
        assert {*ours.values, *ours.gone}.isdisjoint({*theirs.values, *theirs.gone})
        assert ours.values or ours.gone
    assert any(ours.gone and theirs.gone for ours, theirs in pairs)
    assert any(key.startswith("NEW") for ours, _ in pairs for key in ours.values)


def test_a_key_that_goes_beside_one_that_comes_is_no_rename_to_the_other_side(law: MergeLaw) -> None:
    """Git takes a file that goes and one like it that comes for a rename, and would carry the other side's
    change of the old one over: here no side changes what the other one removes.
    """
    ours = Edit({"NEW_00": CANARY}, ("KEY_00",))
    theirs = Edit({"NEW_01": CANARY, "KEY_02": CANARY}, ("KEY_01",))
    assert list(law.pair(ours, theirs)) == []


def test_two_values_of_one_key_conflict_in_its_file_and_the_check_says_what_to_do(law: MergeLaw) -> None:
    conflicts = law.merge(Edit({"KEY_03": "one"}, ()), Edit({"KEY_03": "two"}, ()))
    try:
        assert conflicts == ["realms/shop/prod/KEY_03.sops.yaml"]
        problems = [f"{each.message} {each.hint}" for each in check(law.tree.root).problems]
        [told] = [problem for problem in problems if "KEY_03.sops.yaml" in problem]
        assert "both sides of a merge changed the key 'KEY_03'" in told
        assert "git checkout --ours" in told
        assert "arcan secret set shop KEY_03 --env prod" in told
    finally:
        law.abort()


def test_a_key_that_one_side_changes_and_the_other_removes_conflicts_in_its_file(law: MergeLaw) -> None:
    conflicts = law.merge(Edit({"KEY_04": "one"}, ()), Edit({}, ("KEY_04",)))
    law.abort()
    assert conflicts == ["realms/shop/prod/KEY_04.sops.yaml"]


def test_the_law_does_not_hold_for_one_document(law: MergeLaw) -> None:
    """So that these tests can fail."""
    law.git.git("checkout", "--quiet", "--force", "-B", "document", law.start)
    relayout.join(law.tree, SHOP, PROD, law.held)
    start = law.git.commit()
    for name, key in (("theirs", "KEY_05"), ("ours", "KEY_06")):
        law.git.git("checkout", "--quiet", "-B", name, start)
        edit = open_environment(law.tree, SHOP, PROD, law.held).edit()
        edit.set(key, name)
        edit.save()
        law.git.commit()
    with pytest.raises(Exception, match="merge"):
        law.git.git("merge", "--quiet", "--no-edit", "theirs")
    law.abort()
