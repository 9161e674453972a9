"""Cases 40 to 54: who can open a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.support.crafting import as_yaml, craft
from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, in_metadata, recipient, sub

PLAIN = "a: x\nb: [y, 5]\n"
KMS = """kms:
    - arn: arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000
      created_at: "2026-01-02T03:04:05Z"
      enc: AQICAHh0
      aws_profile: ""
"""


def groups(*members: Sequence[str], threshold: int = 0) -> str:
    """The lines of a creation rule with key groups."""
    lines = [f"    shamir_threshold: {threshold}"] if threshold else []
    lines.append("    key_groups:")
    for names in members:
        lines.append("      - age:")
        lines.extend(f"          - {recipient(name)}" for name in names)
    return "\n".join(lines)


def cases() -> Iterator[Vector]:
    two = encrypt(PLAIN, "alice", "bob")
    yield Vector(40, "the second of two", two, identities=("bob",))
    six = encrypt(PLAIN, "alice", "ed25519", "bob", "rsa", "carol", "dave")
    for name in ("alice", "dave", "ed25519", "rsa"):
        yield Vector(41, f"six recipients opened by {name}", six, identities=(name,))
    yield Vector(42, "an ed25519 SSH key", encrypt(PLAIN, "ed25519"), identities=("ed25519",))
    yield Vector(43, "an RSA SSH key", encrypt(PLAIN, "rsa"), identities=("rsa",))
    yield Vector(43, "an RSA SSH key of 8192 bits", encrypt(PLAIN, "rsa8192"), identities=("rsa8192",))
    yield Vector(44, "somebody else's key", two, identities=("carol",), expect="NoMatchingIdentity")
    yield Vector(45, "no key", two, identities=(), expect="NoMatchingIdentity")
    yield from shamir()
    wrong = two.replace(recipient("bob").encode(), recipient("carol").encode())
    yield Vector(51, "a recipient that is not whose key it is", wrong, identities=("bob",),
                 expect="NoMatchingIdentity", differs="stricter than sops: the recipient that is named is believed")  # fmt: skip
    plain = encrypt(PLAIN)
    old = in_metadata(plain, "kms: []\ngcp_kms: []\nazure_kv: []\nhc_vault: []\npgp: []")
    yield Vector(52, "empty key lists as old versions wrote them", old)
    yield Vector(
        52, "null key lists as old versions wrote them", in_metadata(plain, "kms: null\npgp: ~\nhc_vault:")
    )
    mixed = in_metadata(plain, KMS)
    yield Vector(53, "KMS and age", mixed)
    reason = "would ask a cloud service"
    yield Vector(
        53,
        "KMS and age without the identity",
        mixed,
        identities=("bob",),
        expect="Unsupported",
        not_run=reason,
    )
    only = sub(
        r"(?s)^    age:.*?(?=^    lastmodified)", "".join(f"    {row}\n" for row in KMS.splitlines()), plain
    )
    yield Vector(54, "KMS alone", only, expect="Unsupported", not_run=reason)
    vault = "hc_vault:\n    - vault_address: https://vault.invalid\n      engine_path: transit\n      key_name: k\n"
    vault += '      created_at: "2026-01-02T03:04:05Z"\n      enc: vault:v1:AAAA\n'
    vault = sub(
        r"(?s)^    age:.*?(?=^    lastmodified)", "".join(f"    {row}\n" for row in vault.splitlines()), plain
    ).decode()
    yield Vector(54, "Vault alone", vault.encode(), expect="Unsupported", not_run=reason)
    plugin = plain.replace(
        recipient("alice").encode(),
        b"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
    )
    yield Vector(
        54, "a plugin's recipient", plugin, identities=("bob",), expect="Unsupported", not_run="has no plugin"
    )


def shamir() -> Iterator[Vector]:
    both = encrypt(PLAIN, groups=groups(["alice"], ["bob"]))
    yield Vector(46, "two of two groups", both, identities=("alice", "bob"))
    yield Vector(46, "one of two groups", both, identities=("alice",), expect="NoMatchingIdentity")
    three = encrypt(PLAIN, groups=groups(["alice"], ["bob"], ["carol"], threshold=2))
    yield Vector(47, "two of three groups the first and the third", three, identities=("alice", "carol"))
    yield Vector(48, "three parts where two are enough", three, identities=("carol", "bob", "alice"))
    yield Vector(49, "too few parts", three, identities=("bob",), expect="NoMatchingIdentity")
    yield Vector(49, "too few parts of three", encrypt(PLAIN, groups=groups(["alice"], ["bob"], ["carol"])),
                 identities=("alice", "bob"), expect="NoMatchingIdentity")  # fmt: skip
    many = encrypt(PLAIN, groups=groups(["alice", "bob"], ["carol", "ed25519"], ["dave"], threshold=2))
    yield Vector(50, "several recipients a group", many, identities=("bob", "ed25519"))
    none = sub("^    shamir_threshold: 2\n", "", three)
    yield Vector(46, "no threshold and two parts that are enough", none, identities=("alice", "bob"))
    yield Vector(46, "no threshold and too few parts", sub("^    shamir_threshold: 2\n", "", both), identities=("bob",),
                 expect="NoMatchingIdentity")  # fmt: skip
    yield Vector(46, "a lowered threshold", sub("^    shamir_threshold: 3", "    shamir_threshold: 2",
                 encrypt(PLAIN, groups=groups(["alice"], ["bob"], ["carol"]))), identities=("alice", "bob"),
                 expect="Tampered")  # fmt: skip
    yield Vector(46, "a threshold above the groups", sub("^    shamir_threshold: 2", "    shamir_threshold: 3", both),
                 identities=("alice", "bob"), expect="Malformed")  # fmt: skip
    before, first, second = both.split(b"        - hc_vault: []\n")
    after = second[second.index(b"    lastmodified") :]
    doubled = b"        - hc_vault: []\n".join([before, first, first]) + after
    yield Vector(46, "a part given twice", doubled, identities=("alice", "bob"), expect="Malformed")
    yield Vector(46, "one group in a list", as_yaml(grouped()), identities=("alice",))
    short = craft({"a": (b"x", "str")}, [recipient("alice")], key=b"k" * 16)
    yield Vector(46, "a data key of 16 bytes", as_yaml(short), expect="Malformed",
                 differs="stricter than sops: its data keys have 32 bytes")  # fmt: skip


def grouped() -> dict[str, object]:
    document = craft({"a": (b"x", "str")}, [recipient("alice")])
    block = document["sops"]
    block["key_groups"] = [{"age": block.pop("age")}]
    return document
