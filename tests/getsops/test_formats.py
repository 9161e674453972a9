"""INI and selection by comments, which take the binary whatever the key types are: it contacts nobody then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.getsops import Binary, Fallback, NotAllowed, answer, handover
from arcan_gitops.golang.yaml import Timestamp
from arcan_gitops.sops import (
    ClearLeaf,
    DuplicateKey,
    EmptyLeaf,
    Identities,
    Limits,
    Malformed,
    SopsError,
    Tampered,
    Unsupported,
    key_names,
    load,
    outline,
)
from arcan_gitops.sops.data_key import data_key
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from arcan_gitops.sops.metadata import split
from tests.support.crafting import as_yaml, craft
from tests.support.realm_files import CANARY, encrypt, new_identity, run_sops, sops_binary
from tests.support.vectors import FOLDER, Vector, identity

PRIVATE, PUBLIC = new_identity()
FALLBACK = Fallback(Binary(Path(sops_binary())))


def ini(plain: str) -> bytes:
    done = run_sops(
        "encrypt", "--age", PUBLIC, "--input-type", "ini", "--output-type", "ini", "/dev/stdin", data=plain.encode()
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_comments(plain: str, rule: str, tmp_path: Path) -> bytes:
    config = tmp_path / "config.yaml"
    config.write_text(f"creation_rules:\n  - age: {PUBLIC}\n    {rule}\n")
    done = run_sops(
        "--config", str(config), "encrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin",
        data=plain.encode(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


# INI

PLAIN_INI = f"""\
top = 1
[a]
x = {CANARY}
; a comment
y = "quo ted"
a key = grüß
[b.c]
z = `back
[not a section]
`
[empty]
"""


def test_an_ini_file_reads_as_sops_reads_it() -> None:
    document = ini(PLAIN_INI)
    opened = FALLBACK.load(document, format="ini", identities=[PRIVATE])
    theirs = run_sops(
        "decrypt", "--input-type", "ini", "--output-type", "json", "/dev/stdin", data=document, identity=PRIVATE
    )  # fmt: skip
    assert opened.tree == json.loads(theirs.stdout)
    assert opened.tree["a"]["x"] == CANARY
    assert opened.metadata.recipients == (PUBLIC,)


def test_a_section_without_a_name_is_there_only_where_it_has_keys() -> None:
    """sops gives an empty DEFAULT for every file."""
    assert FALLBACK.load(ini("[a]\nb = c\n"), format="ini", identities=[PRIVATE]).tree == {"a": {"b": "c"}}


def test_an_ini_file_takes_the_binary_and_says_so() -> None:
    document = ini("[a]\nb = c\n")
    with pytest.raises(NotAllowed, match="needs the format INI") as caught:
        Fallback().load(document, format="ini", identities=[PRIVATE])
    assert caught.value.hint == "give --sops-binary PATH"
    with pytest.raises(Unsupported):
        load(document, format="ini", identities=[PRIVATE])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace("[a]\n", "[a]\n[sops]\nx = y\n"), DuplicateKey),
        (lambda text: text.replace("[a]\n", "[a]\nc = 1\nc = 2\n"), DuplicateKey),
        (lambda text: text + "\n[SOPS]\nhc_vault__list_0__map_vault_address = http://x\n", DuplicateKey),
        (lambda text: text + "\n[default]\nc = 1\n", DuplicateKey),
        (lambda text: text + "\n[b]\nc\n", Malformed),
        (lambda text: text + "\n[b\n", Malformed),
        (lambda text: text + "\n[b] x\n", Malformed),
        (lambda text: text + "\n[sops.b]\nc : d\n", Malformed),
        (lambda text: text + "\n[b]\nc = 'd'\n", Unsupported),
        (lambda text: text + '\n[b]\nc = """\n', Unsupported),
        (lambda text: text + "\n[b]\nc = d \\\n", Unsupported),
        (lambda text: text + "\n[b]\nc = d # e\n", Unsupported),
        (lambda text: text + "\n[b]\nc = d\n", ClearLeaf),
        (lambda text: text + "\n[b]\nc =\n", EmptyLeaf),
        (lambda text: text.replace("b = ENC", "c = ENC"), Tampered),
        (lambda text: text.replace("mac ", "nomac "), Tampered),
        (lambda text: text.replace("list_0", "list_7"), Malformed),
        (lambda text: text[: text.index("[sops]")], SopsError),
        (lambda text: "", SopsError),
    ],
)
def test_what_sops_would_not_write_is_refused(change: Any, error: type[SopsError]) -> None:
    text = ini("[a]\nb = c\n").decode()
    with pytest.raises(error):
        FALLBACK.load(change(text).encode(), format="ini", identities=[PRIVATE])


# Selection by comments

PLAIN_COMMENTS = f"""\
# public
name: clear
# secret
password: {CANARY}
nested:
    # secret: yes
    a: 1
    l:
        - x
        # secret
        - "y"
"""
TREE = {"name": "clear", "password": CANARY, "nested": {"a": 1, "l": ["x", "y"]}}
RULES = ["encrypted_comment_regex: secret", "unencrypted_comment_regex: public"]


@pytest.mark.parametrize("rule", RULES)
def test_values_that_comments_select_are_read(rule: str, tmp_path: Path) -> None:
    document = by_comments(PLAIN_COMMENTS, rule, tmp_path)
    limits = Limits(allow_unencrypted=("name", "nested"))
    assert FALLBACK.load(document, identities=[PRIVATE], limits=limits).tree == TREE
    assert outline(document, limits=limits).keys == tuple(TREE)
    assert key_names(document) == tuple(TREE)
    with pytest.raises(NotAllowed, match="needs selection by comments") as caught:
        Fallback().load(document, identities=[PRIVATE], limits=limits)
    assert caught.value.hint == "give --sops-binary PATH"


@pytest.mark.parametrize("rule", RULES)
def test_what_the_comments_leave_in_clear_needs_leave(rule: str, tmp_path: Path) -> None:
    document = by_comments(PLAIN_COMMENTS, rule, tmp_path)
    with pytest.raises(ClearLeaf, match="name"):
        FALLBACK.load(document, identities=[PRIVATE])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace("# secret\n", "# \n", 1), Tampered),  # then the value counts as clear
        (lambda text: text.replace("name: clear", "name: other"), Tampered),
        (lambda text: text.replace("password: ENC", "password: # ENC"), EmptyLeaf),
        (lambda text: text.replace("password: ENC", "password: '' # ENC"), EmptyLeaf),
        (lambda text: text.replace("encrypted_comment_regex: secret", "encrypted_comment_regex: other"), Tampered),
        (lambda text: text.replace("encrypted_comment_regex: secret", "unencrypted_comment_regex: 'yes'"), Tampered),
        (lambda text: text.replace("    encrypted_comment_regex: secret\n", ""), ClearLeaf),
    ],
)  # fmt: skip
def test_a_change_without_the_key_is_refused_there_too(
    change: Any, error: type[SopsError], tmp_path: Path
) -> None:
    plain = f"# public\nname: clear\n# secret\npassword: {CANARY}\n"
    text = by_comments(plain, RULES[0], tmp_path).decode()
    changed = change(text)
    assert changed != text
    with pytest.raises(error) as caught:
        FALLBACK.load(changed.encode(), identities=[PRIVATE], limits=Limits(allow_unencrypted=("name",)))
    assert CANARY not in f"{caught.value} {caught.value.hint}"


def test_selection_by_comments_is_of_yaml() -> None:
    private, public = new_identity()
    tree = craft({"A": (b"x", "str")}, [public], unencrypted_suffix=None, encrypted_comment_regex="x")
    with pytest.raises(Unsupported, match="in the format 'json'"):
        FALLBACK.load(json.dumps(tree).encode(), format="json", identities=[private])


def test_several_documents_do_not_go_through_the_binary(tmp_path: Path) -> None:
    document = encrypt(
        "# secret\na: x\n---\n# secret\nb: y\n", PUBLIC, options=()
    ).replace(b"unencrypted_suffix: _unencrypted", b"encrypted_comment_regex: secret")  # fmt: skip
    with pytest.raises(Unsupported, match="2 YAML documents"):
        FALLBACK.load(document, identities=[PRIVATE])


def test_what_is_refused_for_good_is_refused_with_a_binary_too() -> None:
    document = as_yaml(craft({"A": (b"x", "str")}, [PUBLIC])) + b"B: &x\n  c: *x\n"
    for opener in (Fallback(), FALLBACK):
        with pytest.raises(Unsupported) as caught:
            opener.load(document, identities=[PRIVATE])
        assert not isinstance(caught.value, NotAllowed)
    with pytest.raises(Unsupported, match="toml"):
        FALLBACK.load(document, format="toml", identities=[PRIVATE])


# Every document that is read natively comes through the binary to the same values


def through_the_binary(vector: Vector) -> list[Any]:
    identities = Identities([identity(name) for name in vector.identities])
    trees = format_named(vector.format).parse(vector.document, DEFAULT_LIMITS)
    metadata = split(trees)
    handed = handover.of_data_key(data_key(metadata, identities), metadata)
    assert FALLBACK.binary is not None
    output = FALLBACK.binary.decrypt(
        handover.document(trees[0], handed), {"SOPS_AGE_KEY": handed.identities[0]}
    )
    return [answer.values(trees[0], output, DEFAULT_LIMITS)]


def test_the_vectors_come_through_the_binary_as_they_read_natively() -> None:
    compared = 0
    for path in sorted(FOLDER.glob("*.vector")):
        vector = Vector.read(path)
        if vector.expect != "success" or vector.differs or vector.not_run or len(vector.document) > 50_000:
            continue
        native = vector.load().trees
        if len(native) != 1 or any(odd in repr(native) for odd in ("nan", "inf", "\\udc", "'<<'")):
            continue  # what is refused there, as JSON has none of it and go-yaml takes `<<` for a merge
        if vector.name == "JSON with minus zero":
            continue  # in clear, where YAML would lose its sign: `BadValue`
        theirs = through_the_binary(vector)
        assert theirs == native, path.name
        assert list(map(texts, theirs)) == list(map(texts, native)), path.name
        compared += 1
    assert compared > 40


def texts(value: Any) -> Any:
    """The value with the texts of its timestamps, and types where Python takes two for equal."""
    if isinstance(value, dict):
        return {key: texts(child) for key, child in value.items()}
    if isinstance(value, list):
        return list(map(texts, value))
    return (type(value).__name__, str(value) if isinstance(value, Timestamp) else value)
