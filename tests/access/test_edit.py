"""Edits of `tokens.yaml` as a person would make them: one entry changes, every other byte stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import (
    TokenRecord,
    add,
    mint,
    read_tokens,
    revoke,
    rotate,
)
from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import InvalidFile

SOURCE = "realms/production/tokens.yaml"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
DIGEST = "sha256:" + "0a" * 32

HEAD = """\
# Owned by the platform team.
version: 1   # the only one

tokens:   # newest last
"""
ONE = f"""\
  # The operator of the main cluster.
  - id: "1aaaaaaaaaaa"  # see the runbook
    name: one
    policy: read-only
    created: 2026-01-02T03:04:05.120Z
    digest: "{DIGEST}"
"""
TWO = f"""\

  # Narrow, for the shop.
  # Ask before you widen it.
  - name: two
    id: bbbbbbbbbbbb
    policy: read-only
    environments: [prod, 'dev-*']   # flow
    keys:
      - DB_*   # every database
      # the cache
      - "CACHE"
    created: '2026-01-01'
    expires: 2027-01-01  # renewed yearly
    digest: {DIGEST}
"""
THREE = f"""\
  - {{id: cccccccccccc, name: three, policy: read-only, created: 2026-01-02,
     digest: '{DIGEST}'}}  # flow
"""
TAIL = """\

# Nothing below this line.
"""
FILE = (HEAD + ONE + TWO + THREE + TAIL).encode()


def entry(name="new", identifier="000000000012", expires=None):
    return TokenRecord(
        identifier, name, "read-only", ("prod", "dev-*"), ("*", "DB_?"), NOW, expires, "sha256:" + "cd" * 32
    )


def ids(data):
    return [record.id for record in read_tokens(data, SOURCE)]


def turn(data, name, overlap=WEEK, new=None):
    return rotate(data, SOURCE, name, new or mint(), overlap=overlap, now=NOW)


def test_the_first_token_makes_the_file():
    for nothing in (None, b"", b"\n"):
        data = add(nothing, SOURCE, entry())
        assert read_tokens(data, SOURCE) == (entry(),)
        assert data.startswith(b"# ")


def test_a_token_is_added_below_the_last_and_nothing_else_changes():
    data = add(FILE, SOURCE, entry())
    before, after = data.split(b"  - id: '000000000012'\n")
    assert before == (HEAD + ONE + TWO + THREE).encode()
    assert after.endswith(TAIL.encode())
    assert read_tokens(data, SOURCE)[-1] == entry()


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("one", HEAD + TWO + THREE + TAIL),
        ("1aaaaaaaaaaa", HEAD + TWO + THREE + TAIL),
        ("two", HEAD + ONE + THREE + TAIL),
        ("three", HEAD + ONE + TWO + TAIL),
    ],
)
def test_a_revoked_token_takes_its_own_comment_along_and_no_other(name, left):
    data, removed = revoke(FILE, SOURCE, name)
    assert data.decode() == left
    assert [record.name for record in removed] == [name.replace("1aaaaaaaaaaa", "one")]


def test_the_last_token_revoked_leaves_an_empty_list_that_can_be_added_to():
    data = FILE
    for name in ("two", "one", "three"):
        data, _ = revoke(data, SOURCE, name)
    assert data.decode() == HEAD.replace("tokens:", "tokens: []") + TAIL
    assert read_tokens(add(data, SOURCE, entry()), SOURCE) == (entry(),)


def test_a_rotation_ends_the_old_token_after_the_overlap_and_adds_one_of_the_same_name_and_scope():
    minted = mint()
    rotation = turn(FILE, "one", new=minted)
    old, _, _, new = read_tokens(rotation.data, SOURCE)
    assert (rotation.old, rotation.new) == (old, new)
    assert old.expires == NOW + WEEK
    assert new == replace(old, id=minted.id, digest=minted.digest, created=NOW, expires=None)
    changed = rotation.data.decode().splitlines()
    assert [line for line in FILE.decode().splitlines() if line not in changed] == []


def test_a_rotation_keeps_an_expiry_that_is_earlier_than_the_overlap():
    rotation = turn(FILE, "two", overlap=timedelta(days=1000))
    assert rotation.old.expires == datetime(2027, 1, 1, tzinfo=UTC)
    assert rotation.data.startswith((HEAD + ONE + TWO + THREE).encode())


def test_a_rotated_token_lives_as_long_as_the_one_before():
    rotation = turn(FILE, "bbbbbbbbbbbb")
    assert rotation.new.expires == NOW + timedelta(days=365)
    assert (rotation.new.environments, rotation.new.keys) == (("prod", "dev-*"), ("DB_*", "CACHE"))
    assert b"    expires: '2026-05-08T12:00:00Z'  # renewed yearly\n" in rotation.data


def test_a_rotation_by_name_takes_the_newest_and_by_id_no_other():
    once = turn(FILE, "one")
    assert turn(once.data, "one").old.id == once.new.id
    assert turn(once.data, once.new.id).old.id == once.new.id
    with pytest.raises(ArcanError, match="was rotated before") as caught:
        turn(once.data, "1aaaaaaaaaaa")
    assert f"arcan token rotate {once.new.id}" in caught.value.hint


def test_revoking_a_name_during_the_overlap_revokes_both_and_an_id_only_that_one():
    rotation = turn(FILE, "one")
    data, removed = revoke(rotation.data, SOURCE, "one")
    assert {record.id for record in removed} == {"1aaaaaaaaaaa", rotation.new.id}
    assert ids(data) == ["bbbbbbbbbbbb", "cccccccccccc"]
    data, removed = revoke(rotation.data, SOURCE, "1aaaaaaaaaaa")
    assert [record.id for record in removed] == ["1aaaaaaaaaaa"]
    assert rotation.new.id in ids(data)


def test_a_name_in_use_is_refused_and_one_that_expired_is_free():
    with pytest.raises(ArcanError, match="bbbbbbbbbbbb") as caught:
        add(FILE, SOURCE, entry("two"))
    assert "arcan token rotate bbbbbbbbbbbb" in caught.value.hint
    late = replace(entry("two"), created=datetime(2027, 1, 1, tzinfo=UTC))
    assert ids(add(FILE, SOURCE, late))[-1] == late.id


def test_an_unknown_name_is_an_error_with_the_nearest():
    for change in (lambda: revoke(FILE, SOURCE, "thre"), lambda: turn(FILE, "thre")):
        with pytest.raises(ArcanError, match="'thre'") as caught:
            change()
        assert "'three'" in caught.value.hint


def test_a_token_given_in_place_of_its_name_is_not_repeated():
    text = mint().text.reveal()
    with pytest.raises(ArcanError, match="no token has the name or id") as caught:
        revoke(FILE, SOURCE, text)
    assert text[17:] not in caught.value.message + caught.value.hint
    assert text[4:16] in caught.value.hint


def test_an_invalid_file_is_never_edited():
    broken = FILE.replace(b"policy", b"polcy", 1)
    for change in (
        lambda: add(broken, SOURCE, entry()),
        lambda: revoke(broken, SOURCE, "one"),
        lambda: turn(broken, "one"),
    ):
        with pytest.raises(InvalidFile, match="polcy"):
            change()


def test_an_id_that_is_taken_is_never_added():
    with pytest.raises(ArcanError, match="nothing is changed"):
        add(FILE, SOURCE, entry(identifier="bbbbbbbbbbbb"))


FLOW = (
    f"{{id: aaaaaaaaaaaa, name: one, policy: read-only, keys: [A], created: 2026-01-01, digest: '{DIGEST}'}}"
)
UNUSUAL = {
    "all in one line": f"{{version: 1, tokens: [{FLOW}]}}",
    "list in one line": f"tokens: [{FLOW}]  # all\nversion: 1\n",
    "list over several lines": f"version: 1\ntokens: [\n  {FLOW}\n]\n# end\n",
    "no newline at the end": FILE.decode() + ONE.replace("1aaa", "xaaa").replace("one", "xone").rstrip("\n"),
    "windows line ends": (HEAD + ONE + TWO).replace("\n", "\r\n"),
    "dash on its own line": (HEAD + ONE).replace("- id", "-\n    # own\n    id"),
    "dash with a comment": (HEAD + ONE).replace("- id", "- # own\n    id"),
    "list not indented": (HEAD + ONE + TWO).replace("\n  ", "\n"),
    "deeply indented": (HEAD + ONE + TWO).replace("\n  ", "\n        "),
    "value on the next line": (HEAD + ONE).replace("created:", "created:\n      "),
    "quoted keys": (HEAD + ONE).replace("tokens", '"tokens"').replace("created", "'created'"),
    "document markers": f"---\n{HEAD}{ONE}...\n",
    "version last": f"tokens:\n{ONE}version: 1\n",
    "comment at the margin": (HEAD + ONE).replace("    name", "# margin\n    name"),
    "folded digest": (HEAD + ONE).replace('"sha256:', '"sha256:\\\n      '),
    "root indented": "\n".join("  " + line for line in (HEAD + ONE).splitlines()) + "\n",
    "empty list over two lines": "version: 1\ntokens: [\n]\n",
}


def test_a_file_in_utf_16_is_edited_as_utf_8():
    data = turn(FILE.decode().encode("utf-16"), "one").data
    assert "# Owned by the platform team." in data.decode("utf-8")


def test_a_file_whose_lines_cannot_be_counted_is_refused():
    data = FILE.replace(b"runbook", "run\u2028# book".encode())
    for change in (
        lambda: add(data, SOURCE, entry()),
        lambda: revoke(data, SOURCE, "one"),
        lambda: turn(data, "one"),
    ):
        with pytest.raises(ArcanError, match="nothing is changed"):
            change()


@pytest.mark.parametrize("style", UNUSUAL)
def test_however_the_file_is_written_an_edit_holds_exactly_the_right_entries_and_every_comment(style):
    data = UNUSUAL[style].encode()
    before = read_tokens(data, SOURCE)
    added = add(data, SOURCE, entry())
    assert read_tokens(added, SOURCE) == (*before, entry())
    results = [added]
    if before:
        name = before[0].name
        rotation = turn(data, name)
        assert read_tokens(rotation.data, SOURCE) == (rotation.old, *before[1:], rotation.new)
        results.append(rotation.data)
        left, removed = revoke(data, SOURCE, name)
        assert read_tokens(left, SOURCE) == before[1:]
        assert removed == before[:1]
    for result in results:
        for comment in ("platform team", "runbook", "# all", "# end", "# own", "# margin", "only one"):
            assert (comment in result.decode()) == (comment in data.decode())


def test_line_ends_stay_as_they_are():
    data = turn(UNUSUAL["windows line ends"].encode(), "one").data
    assert data.count(b"\n") == data.count(b"\r\n")


entries = st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True, max_size=3)
comments = st.lists(st.sampled_from(["", "# kept 1", "  # kept 2", "      # kept 3"]), max_size=3)


@given(entries, comments, st.data())
def test_any_entry_can_be_revoked_and_what_is_left_reads_as_before(blocks, tail, data):
    text = HEAD.replace("tokens:", "tokens:" if blocks else "tokens: []") + "".join(blocks)
    file = (text + "".join(f"{line}\n" for line in tail)).encode()
    records = read_tokens(file, SOURCE)
    for record in data.draw(st.permutations(records)):
        file, removed = revoke(file, SOURCE, record.id)
        records = tuple(other for other in records if other != record)
        assert removed == (record,)
        assert read_tokens(file, SOURCE) == records
        assert file.decode().count("# kept") == sum("# kept" in line for line in tail)


@given(st.lists(st.sampled_from(["add", "one", "two", "three", "new"]), max_size=6))
def test_edits_can_follow_each_other_in_any_order(changes):
    data = FILE
    for number, change in enumerate(changes):
        if change == "add":
            data = add(data, SOURCE, entry(f"new-{number}", f"{number:012}"))
        elif any(record.name == change for record in read_tokens(data, SOURCE)):
            data = turn(data, change).data
    for line in (HEAD + ONE + TWO).splitlines():
        if line.strip().startswith("#"):
            assert line in data.decode()
