"""How an environment lies on disk: one document, or a folder with a file for each key; and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.files import BadLayout
from arcan_gitops.realms.layout import DocumentFile, Layout, WrongKey, key_file
from arcan_gitops.realms.places import Places
from arcan_gitops.realms.tree import RealmTree
from arcan_gitops.sops.digests import digest_of_all

PRODUCTION = RealmName("production")
PROD = EnvironmentName("prod")


@pytest.fixture
def realm(tmp_path: Path) -> Path:
    """The folder of the realm `production`."""
    folder = tmp_path / "realms" / PRODUCTION
    folder.mkdir(parents=True)
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def places(realm: Path) -> Places:
    return RealmTree(realm.parent).scan_places(PRODUCTION)


def problems(realm: Path) -> list[str]:
    """What is wrong, with the paths below the realm's folder."""
    _, found = RealmTree(realm.parent).scan_documents(PRODUCTION)
    return [each.message.replace(f"{realm}/", "") for each in found]


def test_an_environment_is_a_document_or_a_folder(realm: Path):
    put(
        realm,
        "prod/B.sops.yaml",
        "prod/A.sops.yaml",
        "prod-eu.sops.yaml",
        "realm.yaml",
        "removed/prod/X.yaml",
    )
    found = places(realm)
    assert [(each.environment, each.layout) for each in found.environments] == [
        ("prod", Layout.FILES),
        ("prod-eu", Layout.DOCUMENT),
    ]
    names = [file.name for file in RealmTree(realm.parent).documents()]
    assert names == ["production/prod/A", "production/prod/B", "production/prod-eu"]
    assert problems(realm) == []


def test_keys_are_sorted_by_the_bytes_of_their_names_and_not_of_their_files(realm: Path):
    put(realm, "prod/A-B.sops.yaml", "prod/a.sops.yaml", "prod/A.sops.yaml", "prod/A.B.sops.yaml")
    [environment] = places(realm).environments
    assert [file.key for file in environment.files] == ["A", "A-B", "A.B", "a"]


def test_a_dot_file_is_a_key_and_what_programs_leave_is_passed_over(realm: Path):
    put(
        realm,
        "prod/.dockerconfigjson.sops.yaml",
        "prod/.A.sops.yaml.x1.tmp",
        "prod/.sops.yaml",
        "prod/README.md",
    )
    put(realm, "prod/..data/A.sops.yaml")
    [environment] = places(realm).environments
    assert [file.key for file in environment.files] == [".dockerconfigjson"]
    assert environment.misplaced == ()


def test_both_layouts_at_once_are_an_error_that_names_what_makes_one_of_the_other(realm: Path):
    put(realm, "prod/A.sops.yaml", "prod.sops.yaml", "dev.sops.yaml")
    found = places(realm)
    assert set(found.bad) == {"prod"}
    for error in (found.bad[PROD], refusal(realm)):
        assert "there twice" in error.message
        assert "arcan realm split production --env prod" in str(error.hint)
        assert "arcan realm join production --env prod" in str(error.hint)


def refusal(realm: Path) -> ArcanError:
    with pytest.raises(BadLayout) as caught:
        RealmTree(realm.parent).environment(PRODUCTION, PROD)
    return caught.value


def test_an_empty_folder_beside_a_document_takes_nothing_away(realm: Path):
    put(realm, "prod.sops.yaml")
    (realm / "prod").mkdir()
    found = places(realm)
    assert [each.layout for each in found.environments] == [Layout.DOCUMENT]
    assert found.bad == found.bare == {}
    assert len(found.misplaced) == 1


def test_a_folder_without_key_files_may_have_been_an_environment(realm: Path):
    put(realm, "prod/notes.txt", "dev.sops.yaml")
    assert set(places(realm).bare) == {"prod"}
    assert problems(realm) == ["prod: not a document, and no folder of key files: it holds none"]
    assert "no environment 'prod'" in refusal(realm).message


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("prod/notes.txt", "prod/notes.txt: not the file of a key"),
        ("prod/C.yaml", "prod/C.yaml: not the file of a key"),
        ("prod/below/C.sops.yaml", "prod/below: not the file of a key"),
        ("prod/a b.sops.yaml", "prod/a b.sops.yaml: 'a b' is not a valid key name"),
        ("prod/arcan_place.sops.yaml", "prod/arcan_place.sops.yaml: 'arcan_place' is not a valid key name"),
        (f"prod/{'K' * 244}.sops.yaml", "prod: a key with a file of its own has at most 243 characters"),
        ("prod/C.sops.yaml/x", "prod/C.sops.yaml: not the file of a key"),
        ("Prod/C.sops.yaml", "Prod: not a document"),
        ("removed/C.sops.yaml", None),  # is said with the records
    ],
)
def test_what_has_no_place_is_a_finding_and_the_other_keys_are_there(
    realm: Path, name: str, problem: str | None
):
    put(realm, "prod/A.sops.yaml", name)
    found = problems(realm)
    assert len(found) == (problem is not None)
    assert problem is None or found[0].startswith(problem)
    [environment] = places(realm).environments
    assert [file.key for file in environment.files] == ["A"]


def test_a_key_of_243_characters_has_a_file(realm: Path):
    put(realm, f"prod/{'K' * 243}.sops.yaml")
    assert problems(realm) == []


def test_names_that_differ_only_in_case_are_an_error(realm: Path):
    put(realm, "prod/TOKEN.sops.yaml", "prod/Token.sops.yaml", "prod/B.sops.yaml")
    assert problems(realm) == [
        "prod: TOKEN and Token differ only in case: one of them is lost on a file system that does not tell "
        "cases apart"
    ]


def test_links_lead_nowhere_else(realm: Path):
    put(realm, "prod/A.sops.yaml", "other/X.sops.yaml", "dev.sops.yaml")
    (realm / "prod" / "B.sops.yaml").symlink_to("A.sops.yaml")
    (realm / "prod" / "C.sops.yaml").symlink_to("../other/X.sops.yaml")
    (realm / "away").symlink_to(realm.parent)
    [_, _, prod] = [each for each in places(realm).environments if each.environment != "away"]
    assert [file.key for file in prod.files] == ["A", "B"]
    assert "is a link out of the folder 'prod'" in prod.bad[KeyName("C")].message


def test_a_folder_that_is_a_link_out_of_the_realm_is_no_environment(realm: Path):
    elsewhere = realm.parent / "staging"
    put(elsewhere, "prod/A.sops.yaml")
    (realm / "prod").symlink_to(elsewhere / "prod")
    found = places(realm)
    assert "is a link out of the folder 'production'" in found.bad[PROD].message


def test_the_environment_removed_cannot_have_key_files(realm: Path):
    put(realm, "removed.sops.yaml", "removed/prod/A.yaml", "removed/B.sops.yaml")
    tree = RealmTree(realm.parent)
    assert tree.environment(PRODUCTION, EnvironmentName("removed")).layout is Layout.DOCUMENT
    with pytest.raises(BadLayout, match="holds the records of removed keys"):
        key_file(realm, EnvironmentName("removed"), KeyName("B"))
    environments, found = tree.removal_folders(PRODUCTION)
    assert environments == ("prod",)
    assert "cannot be a folder of key files" in found[0].message


def test_a_key_file_is_found_by_its_key(realm: Path):
    put(realm, "prod/DATABASE_URL.sops.yaml", "dev.sops.yaml")
    tree = RealmTree(realm.parent)
    found = tree.key_file(PRODUCTION, PROD, KeyName("DATABASE_URL"))
    assert (found.key, found.place, found.path) == (
        "DATABASE_URL",
        "production/prod",
        realm / "prod" / "DATABASE_URL.sops.yaml",
    )
    with pytest.raises(BadLayout) as caught:
        tree.key_file(PRODUCTION, PROD, KeyName("DATABASE_UR"))
    assert "did you mean 'DATABASE_URL'" in str(caught.value.hint)
    with pytest.raises(BadLayout, match="is one document"):
        tree.key_file(PRODUCTION, EnvironmentName("dev"), KeyName("A"))
    with pytest.raises(BadLayout, match="a file for each key, and is no document"):
        tree.document(PRODUCTION, PROD)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["A"], None),
        ([], "holds no key, where 'A' is wanted"),
        (["B"], "holds 'B', where 'A' is wanted"),
        (["A", "C", "B"], "holds 'B', 'C' beside 'A'"),
    ],
)
def test_a_key_file_holds_the_key_that_it_is_named_for(keys: list[str], problem: str | None):
    file = DocumentFile(PRODUCTION, PROD, "A.sops.yaml", KeyName("A"))
    if problem is None:
        file.require_its_key(keys)
        return
    with pytest.raises(WrongKey) as caught:
        file.require_its_key(keys)
    assert caught.value.message == problem


def test_the_document_of_an_environment_holds_any_keys():
    DocumentFile(PRODUCTION, PROD, "prod.sops.yaml").require_its_key(["A", "B"])


def test_the_version_of_an_environment_is_that_of_its_keys_in_any_order():
    assert digest_of_all({"B": "22", "A": "11"}) == digest_of_all({"A": "11", "B": "22"})
    assert digest_of_all({"A": "11"}) != digest_of_all({"A": "22"})
