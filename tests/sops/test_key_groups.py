"""Key groups with Shamir thresholds: what we write sops opens, with enough identities and no fewer; and the
other way around.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops import sops
from tests.support.realm_files import CANARY, new_identity, run_sops, sops_binary

PEOPLE = dict(zip("abcd", (new_identity() for _ in range(4)), strict=True))
PUBLIC = {name: public for name, (_, public) in PEOPLE.items()}
TREE = {"A": CANARY, "list": ["one", {"k": "v"}]}
FLAT: dict[str, dict[str, Any]] = {
    "yaml": TREE,
    "json": TREE,
    "dotenv": {"A": CANARY},
    "binary": {"data": CANARY},
}
SUFFIXES = {"yaml": "yaml", "json": "json", "dotenv": "env", "binary": "bin"}


def identities(names: str) -> list[str]:
    return [PEOPLE[name][0] for name in names]


def groups(text: str, threshold: int = 0) -> sops.Recipients:
    """From `a bd c`: three groups."""
    return sops.Recipients(tuple(tuple(PUBLIC[name] for name in group) for group in text.split()), threshold)


def load(data: bytes, names: str, format: str = "yaml") -> sops.Document:
    return sops.load(data, format=format, identities=identities(names))


def rule(recipients: sops.Recipients) -> str:
    """`.sops.yaml` with these recipients for every file."""
    listed: dict[str, Any] = {"key_groups": [{"age": list(group)} for group in recipients.groups]}
    if recipients.threshold:
        listed["shamir_threshold"] = recipients.threshold
    return json.dumps({"creation_rules": [listed]})


def theirs(
    folder: Path, recipients: sops.Recipients, *arguments: str, names: str
) -> subprocess.CompletedProcess[str]:
    """Run sops where `.sops.yaml` names the recipients."""
    (folder / ".sops.yaml").write_text(rule(recipients))
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "SOPS_AGE_KEY": "\n".join(identities(names)),
    }
    return subprocess.run(
        [sops_binary(), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def sops_opens(data: bytes, names: str, format: str = "yaml") -> bool:
    done = run_sops(
        "decrypt", "--input-type", format, "--output-type", format, "/dev/stdin",
        data=data, identity="\n".join(identities(names)),
    )  # fmt: skip
    if done.returncode == 0:
        assert CANARY in done.stdout.decode()
    return done.returncode == 0


def shape(data: bytes) -> list[str]:
    """The lines, ciphertext, wrapped keys and time left out."""
    text = re.sub(r"ENC\[AES256_GCM,data:[^\]]*type:(\w+)\]", r"\1", data.decode())
    text = re.sub(r"-----BEGIN AGE.*?-----END AGE ENCRYPTED FILE-----", "AGE", text, flags=re.DOTALL)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text).split("\n")


@pytest.mark.parametrize("format", SUFFIXES)
def test_two_of_three_groups_open_what_we_made_and_one_does_not(format: str) -> None:
    data = sops.encrypt(FLAT[format], recipients=groups("a bd c", 2), format=format)
    for names in ("ab", "ad", "ac", "bc", "cd", "abc"):
        assert load(data, names, format).tree == FLAT[format]
    for names in ("a", "b", "c", "bd"):
        with pytest.raises(sops.NoMatchingIdentity):
            load(data, names, format)
    assert sops_opens(data, "cd", format)
    assert not sops_opens(data, "bd", format)
    assert CANARY not in data.decode()


def test_without_a_threshold_all_groups_are_needed() -> None:
    data = sops.encrypt(TREE, recipients=groups("a b c"))
    assert load(data, "abc").metadata.shamir_threshold == 3
    assert sops_opens(data, "abc")
    assert not sops_opens(data, "ac")


@pytest.mark.parametrize("threshold", [0, 2])
@pytest.mark.parametrize("format", SUFFIXES)
def test_a_new_document_has_the_layout_that_sops_writes(format: str, threshold: int, tmp_path: Path) -> None:
    whom = groups("a bd c", threshold)
    plain = tmp_path / f"d.{SUFFIXES[format]}"
    plain.write_text(
        {"dotenv": f"A={CANARY}\n", "binary": CANARY}.get(format, json.dumps(TREE)), encoding="utf-8"
    )
    done = theirs(tmp_path, whom, "encrypt", plain.name, names="")
    assert done.returncode == 0, done.stderr
    assert shape(sops.encrypt(FLAT[format], recipients=whom, format=format)) == shape(done.stdout.encode())


@pytest.mark.parametrize("format", ["yaml", "json", "dotenv"])
def test_after_our_edit_of_groups_sops_set_moves_nothing(format: str, tmp_path: Path) -> None:
    document = load(sops.encrypt({"A": CANARY, "B": "x"}, recipients=groups("a"), format=format), "a", format)
    document.updatekeys(groups("a bd c", 2))
    path = tmp_path / f"d.{SUFFIXES[format]}"
    path.write_bytes(document.dump())
    done = run_sops("set", str(path), '["B"]', '"y"', identity="\n".join(identities("ac")))
    assert done.returncode == 0, done.stderr
    assert shape(path.read_bytes()) == shape(document.dump())


TO_GROUPS, TO_ONE = "a -> a bd c", "a bd c -> a"
CHANGES = [
    *itertools.product(SUFFIXES, ["updatekeys"], [TO_GROUPS, TO_ONE]),
    *itertools.product(["yaml", "dotenv"], ["rotate"], [TO_GROUPS, TO_ONE]),
    *itertools.product(["yaml"], ["updatekeys"], ["a -> b", "a bd c -> ab cd", "a b -> a b c d", "ab -> ba"]),
]


@pytest.mark.parametrize(("format", "method", "change"), CHANGES)
def test_groups_come_and_go_and_sops_finds_nothing_to_update(
    method: str, change: str, format: str, tmp_path: Path
) -> None:
    before, after = (groups(side) for side in change.split(" -> "))
    old = sops.encrypt(FLAT[format], recipients=before, format=format)
    document = load(old, "abcd", format)
    getattr(document, method)(after)
    new = document.dump()
    assert load(new, "abcd", format).tree == FLAT[format]
    path = tmp_path / f"d.{SUFFIXES[format]}"
    path.write_bytes(new)
    done = theirs(tmp_path, after, "updatekeys", "--yes", path.name, names="abcd")
    assert (done.returncode, done.stdout) == (0, "")
    assert "already up to date" in done.stderr
    assert path.read_bytes() == new
    names = "".join(
        next(name for name, public in PUBLIC.items() if public == group[0]) for group in after.groups
    )
    assert sops_opens(new, names, format)
    old_mac, new_mac = (load(data, "abcd", format).metadata.mac for data in (old, new))
    assert (old_mac == new_mac) is (method == "updatekeys")


@pytest.mark.parametrize("change", ["a -> a bd c", "a bd c -> b c d", "ab -> b"])
def test_updatekeys_leaves_the_lines_that_sops_leaves(change: str, tmp_path: Path) -> None:
    before, after = (groups(side) for side in change.split(" -> "))
    (tmp_path / "p.yaml").write_text(json.dumps(TREE))
    made = theirs(tmp_path, before, "encrypt", "p.yaml", names="").stdout.encode()
    path = tmp_path / "d.yaml"
    path.write_bytes(made)
    assert theirs(tmp_path, after, "updatekeys", "--yes", "d.yaml", names="abcd").returncode == 0
    document = load(made, "abcd")
    document.updatekeys(after)
    assert shape(document.dump()) == shape(path.read_bytes())
    head = made[: made.index(b"sops:")]
    assert document.dump().startswith(head)


def test_one_group_has_no_threshold_unlike_what_sops_leaves_behind() -> None:
    """Its `updatekeys` writes `shamir_threshold: 1` there, and then refuses to make groups again."""
    document = load(sops.encrypt(TREE, recipients=groups("a b c", 2)), "ab")
    document.updatekeys(groups("ab"))
    assert b"shamir_threshold" not in document.dump()
    left_behind = document.dump().replace(b"sops:\n", b"sops:\n    shamir_threshold: 1\n")
    document = load(left_behind, "a")
    document.updatekeys(groups("a b c"))
    assert document.metadata.shamir_threshold == 3
    assert sops_opens(document.dump(), "abc")


def test_groups_without_a_threshold_keep_the_documents_as_sops_does(tmp_path: Path) -> None:
    document = load(sops.encrypt(TREE, recipients=groups("a b c", 2)), "ab")
    path = tmp_path / "d.yaml"
    path.write_bytes(document.dump())
    assert theirs(tmp_path, groups("a b c d"), "updatekeys", "--yes", "d.yaml", names="ab").returncode == 0
    document.updatekeys(groups("a b c d"))
    assert document.metadata.shamir_threshold == 2
    assert load(path.read_bytes(), "ab").metadata.shamir_threshold == 2
    document.updatekeys(groups("a b c d", 4))
    assert document.metadata.shamir_threshold == 4
    document.updatekeys(groups("a b"))
    assert document.metadata.shamir_threshold == 2


def test_rotate_gives_every_group_a_part_of_another_key() -> None:
    data = sops.encrypt(TREE, recipients=groups("a b c", 2))
    document = load(data, "ab")
    document.rotate(groups("a b d", 2))
    new = document.dump()
    assert sops_opens(new, "ad")
    assert not sops_opens(new, "ac")
    ciphertext = re.compile(rb"data:[^,]+")
    assert not set(ciphertext.findall(data)) & set(ciphertext.findall(new))


@pytest.mark.parametrize("text", ["a bd c", "abd"])
def test_a_block_that_newer_versions_sorted_stays_sorted(text: str) -> None:
    """SOPS writes the fields by their names from 3.13 on: `enc` before `recipient`."""
    made = sops.encrypt({"A": "x", "B": "y"}, recipients=[PUBLIC["a"]])
    recipient, enc = re.findall(rb"(recipient: \S+)\n {10}(enc: \|\n(?: {12}.*\n)+)", made)[0]
    other = made.replace(
        b"- " + recipient + b"\n" + b" " * 10 + enc, b"- " + enc + b" " * 10 + recipient + b"\n"
    )
    document = load(other, "a")
    document.updatekeys(groups(text))
    block = document.dump()[document.dump().index(b"sops:") :]
    fields = re.findall(rb"(?m)^    (\w+):", block)
    assert fields == sorted(fields)
    assert block.index(b"enc: ") < block.index(b"recipient: ")
    assert sops_opens(sops.encrypt(TREE, recipients=groups(text)), "abc")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sops.Recipients(()), "no recipient"),
        (lambda: sops.Recipients(((PUBLIC["a"],), ())), "no recipient"),
        (lambda: groups("a b", 1), "a threshold of 1 of 2"),
        (lambda: groups("a b", 3), "a threshold of 3 of 2"),
        (lambda: groups("aa b"), "given twice"),
        (lambda: sops.Recipients(((PUBLIC["a"],),) * 256), "more than 255 key groups"),
        (lambda: sops.Recipients((("age1nonsense",),)), "'age1nonsense' is not an age or SSH"),
        (lambda: sops.Recipients(((PEOPLE["a"][0],),)), "a private key was given as a recipient"),
        (lambda: sops.Recipients((("ssh-ed25519 \udc80",),)), "is not an age or SSH public key"),
    ],
)
def test_recipients_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(sops.BadRecipient) as caught:
        make()
    assert message in caught.value.message
    assert PEOPLE["a"][0] not in str(caught.value) + str(caught.value.hint)


def test_recipients_of_plugins_are_named() -> None:
    for text, kind in (("age1pq1xyz", "age (post-quantum)"), ("age1yubikey1q", "age (plugin)")):
        with pytest.raises(sops.Unsupported, match=re.escape(kind)):
            sops.Recipients(((text,),))


def test_a_document_with_keys_of_other_types_is_not_wrapped_anew() -> None:
    data = sops.encrypt(TREE, recipients=groups("a"))
    pgp = b"    pgp:\n        - created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: F\n"
    document = load(data.replace(b"sops:\n", b"sops:\n" + pgp), "a")
    for method in (document.rotate, document.updatekeys):
        with pytest.raises(sops.Unsupported, match="pgp"):
            method(groups("a b"))


@pytest.mark.parametrize(("parts", "threshold"), [(2, 2), (3, 2), (4, 3)])
def test_any_threshold_of_the_groups_will_do(parts: int, threshold: int) -> None:
    names = "abcd"[:parts]
    data = sops.encrypt(TREE, recipients=groups(" ".join(names), threshold))
    for held in itertools.chain.from_iterable(
        itertools.combinations(names, count) for count in range(1, parts + 1)
    ):
        assert _opens(data, "".join(held)) is (len(held) >= threshold)


def _opens(data: bytes, names: str) -> bool:
    try:
        return load(data, names).tree == TREE
    except sops.NoMatchingIdentity:
        return False
