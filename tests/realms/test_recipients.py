"""Who can read what, without any key; and how that differs from `.sops.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.names import RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.recipients import AccessReport, Drift, access, drift
from arcan_gitops.realms.sops_config import NoRule, SopsConfig
from arcan_gitops.sops.metadata import Metadata
from tests.support.realm_files import CANARY, new_identity

A, B, C, D = (new_identity()[1] for _ in range(4))
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"
PGP = b"    pgp:\n        - created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: F\n"


def document(*groups: tuple[str, ...], threshold: int = 0) -> bytes:
    return sops.encrypt({"A": CANARY}, recipients=sops.Recipients(groups, threshold))


def metadata(*groups: tuple[str, ...], threshold: int = 0) -> Metadata:
    return sops.outline(document(*groups, threshold=threshold)).metadata


def rule(text: str) -> CreationRule:
    return SopsConfig.parse(f"creation_rules: [{{{text}}}]\n".encode(), Path(".sops.yaml")).rules[0]


def groups(*listed: str, threshold: int = 0) -> CreationRule:
    said = f"shamir_threshold: {threshold}, " if threshold else ""
    return rule(f"{said}key_groups: [{', '.join(f'{{age: [{each}]}}' for each in listed)}]")


def test_a_document_for_whom_its_rule_says_does_not_drift() -> None:
    assert not drift(metadata((A, B)), rule(f"age: '{B},{A}'"))
    assert not drift(metadata((A,), (B, C)), groups(f"{C}, {B}", A))
    assert not drift(metadata((A,), (B,), (C,), threshold=2), groups(A, B, C, threshold=2))


def test_who_is_lacking_and_who_is_too_many_is_said() -> None:
    found = drift(metadata((A, B)), rule(f"age: '{A},{C}'"))
    assert found == Drift(lacking=(C,), surplus=(B,))
    assert str(found) == f"lacks {C}; has {B}, whom the rule does not name"


def test_the_comment_of_an_ssh_key_makes_no_difference() -> None:
    assert not drift(metadata((f"{SSH} bob@old",)), rule(f"age: '{SSH} bob@new'"))
    assert drift(metadata((SSH[:-4] + "AAAA",)), rule(f"age: {SSH}"))


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        (metadata((A, B)), groups(A, B), "has 1 key group(s), where the rule has 2"),
        (metadata((A,), (B,)), rule(f"age: '{A},{B}'"), "has 2 key group(s), where the rule has 1"),
        (metadata((A, B), (C,)), groups(A, f"{B}, {C}"), "has its recipients in other key groups"),
        (metadata((A,), (B,), (A,)), groups(A, B, B), "has its recipients in other key groups"),
    ],
)
def test_other_key_groups_are_drift_for_the_same_recipients(
    found: Metadata, expected: CreationRule, said: str
) -> None:
    assert said in drift(found, expected).grouping


def test_another_threshold_is_drift_and_none_in_the_rule_means_all_groups() -> None:
    two_of_three = metadata((A,), (B,), (C,), threshold=2)
    assert "opens with 2 of its key groups, where the rule says 3" in str(
        drift(two_of_three, groups(A, B, C, threshold=3))
    )
    assert "has no shamir_threshold, and so means 3" in str(drift(two_of_three, groups(A, B, C)))
    assert not drift(metadata((A,), (B,), (C,)), groups(A, B, C))


def test_key_types_that_are_not_age_count_by_their_names() -> None:
    both = sops.outline(document((A,)).replace(b"sops:\n", b"sops:\n" + PGP)).metadata
    assert drift(both, rule(f"age: {A}")) == Drift(surplus=("pgp",))
    assert drift(metadata((A,)), rule(f"age: {A}, pgp: F")) == Drift(lacking=("pgp",))
    assert not drift(both, rule(f"age: {A}, pgp: F"))


@pytest.fixture
def tree(tmp_path: Path) -> RealmTree:
    """The realms `platform`, as its rule says, and `shop`, which drifts."""
    root = tmp_path / "realms"
    for realm, environment, data in (
        ("platform", "prod", document((A,), (B,), (C,), threshold=2)),
        ("shop", "prod", document((A, D))),
        ("shop", "staging", document((A,))),
    ):
        (root / realm).mkdir(parents=True, exist_ok=True)
        (root / realm / f"{environment}.sops.yaml").write_bytes(data)
    (tmp_path / ".sops.yaml").write_text(
        "creation_rules:\n"
        f"  - path_regex: ^realms/platform/\n    shamir_threshold: 2\n"
        f"    key_groups: [{{age: [{A}]}}, {{age: [{B}]}}, {{age: [{C}]}}]\n"
        f"  - path_regex: ^realms/shop/prod\n    age: {A},{B}\n"
    )
    return RealmTree(root)


def names(report: AccessReport) -> list[str]:
    return [f"{each.document.realm}/{each.document.environment}" for each in report.documents]


def test_every_document_of_the_tree_is_told(tree: RealmTree) -> None:
    report = access(tree)
    assert names(report) == ["platform/prod", "shop/prod", "shop/staging"]
    platform, prod, staging = report.documents
    assert (platform.groups, platform.needed, platform.drift) == (((A,), (B,), (C,)), 2, Drift())
    assert (prod.groups, prod.needed) == (((A, D),), 1)
    assert prod.drift == Drift(lacking=(B,), surplus=(D,))
    assert prod.problem is not None
    assert "its recipients are not those of" in prod.problem.message
    assert (staging.drift, type(staging.problem)) == (None, NoRule)
    assert names(access(tree, RealmName("platform"))) == ["platform/prod"]


def test_the_hint_is_the_command_that_mends_it(tree: RealmTree) -> None:
    problem = access(tree).documents[1].problem
    assert problem is not None
    assert str(problem.hint).startswith("run 'arcan realm updatekeys shop --env prod'; if somebody left, ")


def test_without_a_configuration_there_is_no_drift(tree: RealmTree) -> None:
    (tree.root.parent / ".sops.yaml").unlink()
    report = access(tree)
    assert report.config is None
    assert [(each.drift, each.problem) for each in report.documents] == [(None, None)] * 3


def test_a_document_that_cannot_be_read_does_not_hide_the_others(tree: RealmTree) -> None:
    (tree.root / "shop" / "prod.sops.yaml").write_text(f"A: {CANARY}\n")
    (tree.root / "shop" / "notes.txt").touch()
    (tree.root / "empty").mkdir()
    report = access(tree)
    assert names(report) == ["platform/prod", "shop/staging"]
    said = "\n".join(problem.message for problem in report.problems)
    for part in (
        "shop/prod.sops.yaml: not encrypted",
        "notes.txt: not a document",
        "empty: the realm has no",
    ):
        assert part in said
    assert CANARY not in said


def test_a_value_in_clear_does_not_hide_who_can_read_the_rest(tree: RealmTree) -> None:
    path = tree.root / "shop" / "prod.sops.yaml"
    path.write_bytes(b"clear_unencrypted: x\n" + path.read_bytes())
    assert "shop/prod" in names(access(tree))
