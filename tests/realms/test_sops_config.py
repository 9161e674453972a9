"""`.sops.yaml`: the rule that sops takes is the rule that we take, and for the same recipients."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.sops_config import NoRule, SopsConfig, ignored_files, recipient_names
from arcan_gitops.sops import Recipients, Unsupported
from arcan_gitops.yamlio import InvalidFile
from tests.support.realm_files import new_identity, sops_binary

A, B, C = (new_identity()[1] for _ in range(3))
PRIVATE = new_identity()[0]
DOCUMENT = Path("repo/realms/x/y.sops.yaml")
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"


def parse(text: str, path: Path = Path("repo/.sops.yaml")) -> SopsConfig:
    return SopsConfig.parse(text.encode(), path)


def rule(text: str) -> CreationRule:
    """The only rule of a configuration, from its fields."""
    lines = "\n    ".join(text.strip("\n").split("\n"))
    [parsed] = parse(f"creation_rules:\n  - {lines}\n").rules
    return parsed


def problem(text: str) -> str:
    with pytest.raises(InvalidFile) as caught:
        parse(text).rule_for(DOCUMENT)
    assert PRIVATE not in f"{caught.value.message} {caught.value.hint}"
    return f"{caught.value.message} {caught.value.hint or ''}"


# What sops makes of it: the text of one creation rule -> the groups of recipients and the threshold
AGREED: dict[str, tuple[str, tuple[tuple[str, ...], ...], int]] = {
    "a text": (f"age: {A}", ((A,),), 0),
    "a text with commas, blanks and one at the end": (f"age: '{A}, {B},'", ((A, B),), 0),
    "a folded text": (f"age: >-\n  {A},\n  {B}", ((A, B),), 0),
    "a list": (f"age: [{A}, {B}]", ((A, B),), 0),
    "an SSH key": (f"age: {SSH}", ((SSH,),), 0),
    "one group": (f"key_groups:\n  - age: [{A}]", ((A,),), 0),
    "groups": (f"key_groups:\n  - age: [{A}]\n  - age: [{B}, {C}]", ((A,), (B, C)), 0),
    "commas in a group's list": (f"key_groups:\n  - age: ['{A},{B}']\n  - age: [{C}]", ((A, B), (C,)), 0),
    "a threshold": (
        f"shamir_threshold: 2\nkey_groups:\n  - age: [{A}]\n  - age: [{B}]\n  - age: [{C}]",
        ((A,), (B,), (C,)),
        2,
    ),
    "merged groups, which come first": (
        f"key_groups:\n  - merge:\n      - age: [{B}]\n      - age: [{C}, {B}]\n    age: [{A}, {B}]",
        ((B, C, A),),
        0,
    ),
    "the threshold of one group, which says nothing": (f"shamir_threshold: 1\nage: {A}", ((A,),), 1),
    "no groups after all": (f"age: {A}\nkey_groups: []", ((A,),), 0),
}


@pytest.mark.parametrize("name", AGREED)
def test_sops_makes_the_same_of_the_recipients(name: str, tmp_path: Path) -> None:
    text, groups, threshold = AGREED[name]
    parsed = rule(text)
    assert tuple(group.age for group in parsed.groups) == groups
    assert parsed.recipients() == Recipients(groups, threshold)
    lines = "\n    ".join(text.split("\n"))
    (tmp_path / ".sops.yaml").write_text(f"creation_rules:\n  - {lines}\n")
    assert _recipients(_encrypt(tmp_path, "d.yaml").stdout) == [each for group in groups for each in group]


def _recipients(document: str) -> list[str]:
    return re.findall(r"(?m)^ *-? *recipient: (.+)$", document)


def _encrypt(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("A: x\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    command = [sops_binary(), "encrypt", str(path)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("realms/shop/prod.sops.yaml", A),
        ("realms/shop/staging.sops.yaml", B),
        ("realms/shop-2/prod.sops.yaml", C),
        ("realms/other/prod.sops.yaml", None),
    ],
)
def test_the_first_rule_that_is_found_in_the_path_counts_as_in_sops(
    path: str, expected: str | None, tmp_path: Path
) -> None:
    (tmp_path / ".sops.yaml").write_text(
        "creation_rules:\n"
        f"  - path_regex: ^realms/shop/prod\\.sops\\.yaml$\n    age: {A}\n"
        f"  - path_regex: (?i)SHOP/\\w+\\.\n    age: {B}\n"
        f"  - path_regex: '[[:alpha:]]-\\d'\n    age: {C}\n"
    )
    done = _encrypt(tmp_path, path)
    config = SopsConfig.find(tmp_path / "realms")
    assert config is not None
    if expected is None:
        assert "no matching creation rules" in done.stderr
        with pytest.raises(NoRule) as caught:
            config.rule_for(tmp_path / path)
        assert r"path_regex: ^realms/other/prod(/[^/]+)?\.sops\.yaml$" in str(caught.value.hint)
        return
    assert _recipients(done.stdout) == [expected]
    assert config.rule_for(tmp_path / path).age == (expected,)


def test_a_rule_without_path_regex_is_for_everything() -> None:
    config = parse(f"creation_rules:\n  - age: {A}\n  - path_regex: ''\n    age: {B}\n")
    assert config.rule_for(DOCUMENT).name == "rule 1"
    config = parse(f"creation_rules:\n  - path_regex: ^no/\n    age: {A}\n  - path_regex: ''\n    age: {B}\n")
    assert config.rule_for(DOCUMENT).name == "rule 2"


def test_the_file_is_beside_the_realms_or_in_their_folder_and_the_latter_comes_first(tmp_path: Path) -> None:
    realms = tmp_path / "realms"
    realms.mkdir()
    assert SopsConfig.find(realms) is None
    (tmp_path / ".sops.yaml").write_text(f"creation_rules: [{{age: {A}}}]\n")
    above = SopsConfig.find(realms)
    assert above is not None
    assert above.path == tmp_path / ".sops.yaml"
    (realms / ".sops.yaml").write_text(f"creation_rules: [{{path_regex: ^shop/, age: {B}}}]\n")
    inside = SopsConfig.find(realms)
    assert inside is not None
    assert inside.rule_for(realms / "shop" / "prod.sops.yaml").age == (B,)


def test_a_folder_of_realms_that_is_a_link_is_where_the_link_leads(tmp_path: Path) -> None:
    (tmp_path / "repo" / "realms" / "shop").mkdir(parents=True)
    (tmp_path / "repo" / ".sops.yaml").write_text(
        f"creation_rules: [{{path_regex: ^realms/shop/, age: {A}}}]\n"
    )
    (tmp_path / "link").symlink_to(tmp_path / "repo" / "realms")
    config = SopsConfig.find(tmp_path / "link")
    assert config is not None
    assert config.rule_for(tmp_path / "link" / "shop" / "prod.sops.yaml").age == (A,)


def test_a_configuration_that_is_a_link_still_is_for_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shared.yaml").write_text(
        f"creation_rules: [{{path_regex: ^realms/, age: {A}}}]\n"
    )
    (tmp_path / ".sops.yaml").symlink_to(tmp_path / "elsewhere" / "shared.yaml")
    config = SopsConfig.find(tmp_path / "realms")
    assert config is not None
    assert config.rule_for(tmp_path / "realms" / "shop" / "prod.sops.yaml").age == (A,)


def test_what_a_rule_says_of_the_document_is_read() -> None:
    parsed = rule(f"age: {A}\nencrypted_regex: ^[A-Z]\nmac_only_encrypted: true")
    assert (parsed.selection, parsed.mac_only_encrypted) == (("encrypted_regex", "^[A-Z]"), True)
    assert rule(f"age: {A}").selection is None
    assert rule(f"age: {A}\nencrypted_comment_regex: x").selection == ("encrypted_comment_regex", "x")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("pgp: ABCD", ("pgp",)),
        ("kms: arn:aws:kms:eu-west-1:1:key/a\naws_profile: p\npgp: [A, B]", ("kms", "pgp")),
        ("gcp_kms: projects/p/locations/l/keyRings/r/cryptoKeys/k", ("gcp_kms",)),
        ("hckms: ['eu-1:k']", ("hckms",)),
        ("azure_keyvault: https://v.vault.azure.net/keys/k/1", ("azure_kv",)),
        ("hc_vault_transit_uri: https://vault:8200/v1/sops/keys/k", ("hc_vault",)),
        ("key_groups:\n  - kms: [{arn: a, role: r}]\n  - azure_keyvault: [{vaultUrl: v, key: k}]",
         ("azure_kv", "kms")),
        ("key_groups:\n  - gcp_kms: [{resource_id: r}]\n    hckms: [{key_id: k}]\n    hc_vault: [v]\n"
         "    pgp: [p]", ("gcp_kms", "hc_vault", "hckms", "pgp")),
        (f"age: {A},age1yubikey1qxyz", ("age (plugin)",)),
        ("age: age1pq1xyz", ("age (post-quantum)",)),
    ],
)  # fmt: skip
def test_key_types_that_are_not_native_are_known_by_name(text: str, kinds: tuple[str, ...]) -> None:
    parsed = rule(text)
    assert tuple(sorted({kind for group in parsed.groups for kind in group.not_native})) == kinds
    with pytest.raises(Unsupported, match=r"rule 1 needs .*not encrypted for natively") as caught:
        parsed.recipients()
    assert ", ".join(kinds) in caught.value.message


def test_a_rule_that_leaves_its_keys_to_the_command_line_is_sound_and_names_nobody() -> None:
    config = parse("creation_rules:\n  - encrypted_regex: x\n")
    with pytest.raises(NoRule, match=r"rule 1 of repo/\.sops\.yaml is for it, and names no recipient"):
        config.rule_for(Path("repo/realms/x/y.sops.yaml"))


def test_anchors_aliases_and_merge_keys_mean_what_they_mean_to_sops(tmp_path: Path) -> None:
    text = (
        f"keys:\n  - &a {A}\n  - &b {B}\nshared: &shared\n  age: [*a]\n  encrypted_regex: ^A\n"
        "creation_rules:\n  - path_regex: ^one\n    <<: *shared\n"
        "  - path_regex: ^two\n    <<: *shared\n    age: [*b, *a]\n"
    )
    (tmp_path / ".sops.yaml").write_text(text)
    one, two = parse(text).rules
    assert (one.age, two.age) == ((A,), (B, A))
    assert one.selection == two.selection == ("encrypted_regex", "^A")
    for name, parsed in (("one.yaml", one), ("two.yaml", two)):
        assert _recipients(_encrypt(tmp_path, name).stdout) == list(parsed.age)


WRONG = {
    "no file at all": ("", "is empty"),
    "no mapping": ("- a\n", "must be a mapping"),
    "no rules": ("stores: {}\n", "'creation_rules' is missing"),
    "rules that are none": ("creation_rules: 5\n", "'creation_rules' must be a list"),
    "a rule that is none": ("creation_rules: [5]\n", "'creation_rules' must be a list of mappings"),
    "null for the rules": ("creation_rules:\n", "'creation_rules' is missing"),
    "a misspelt list of rules": (f"creation_rule:\n  - age: {A}\n", "'creation_rules' is missing 'creation_rule' is ignored by sops: did you mean 'creation_rules'?"),
    "a number as age": ("creation_rules:\n  - age: 5\n", ":2: 'age' must be a text, or a list of texts (rule 1)"),
    "a number in age": ("creation_rules:\n  - age: [5]\n", "'age' must be a text, or a list of texts"),
    "a mapping as age": ("creation_rules:\n  - age: {a: b}\n", "'age' must be a"),
    "nonsense as age": (f"creation_rules:\n  - path_regex: ^no/\n    age: {A}\n  - age: age1x\n", "'age1x' is not an age or SSH public key (rule 2)"),
    "a private key": (f"creation_rules:\n  - age: {PRIVATE}\n", "a private key was given as a recipient"),
    "a number as path_regex": (f"creation_rules:\n  - age: {A}\n    path_regex: 5\n", ":3: 'path_regex' must be a text"),
    "a path_regex that is none": ("creation_rules:\n  - path_regex: '['\n", "'path_regex': not a regular expression in Go's (RE2's) dialect (rule 1)"),
    "a path_regex of another dialect": ("creation_rules:\n  - path_regex: (?=x)\n", "not a regular expression"),
    "a path_regex without end": (f"creation_rules:\n  - path_regex: {'x' * 600}\n", "more than 512 characters"),
    "an unknown field": (f"creation_rules:\n  - path_regexp: x\n    age: {A}\n", "unknown field 'path_regexp' (rule 1) did you mean 'path_regex'?"),
    "an unknown field of a group": (f"creation_rules:\n  - key_groups: [{{ages: [{A}]}}]\n", "unknown field 'ages'"),
    "two selection rules": (f"creation_rules:\n  - age: {A}\n    encrypted_regex: x\n    unencrypted_suffix: y\n", "more than one selection rule: unencrypted_suffix, encrypted_regex"),
    "a selection rule that is none": (f"creation_rules:\n  - age: {A}\n    encrypted_regex: '('\n", "encrypted_regex: not a regular expression"),
    "a text as mac_only_encrypted": (f"creation_rules:\n  - age: {A}\n    mac_only_encrypted: 'yes'\n", "'mac_only_encrypted' must be true or false"),
    "a threshold that none reach": (f"creation_rules:\n  - shamir_threshold: 3\n    key_groups: [{{age: [{A}]}}, {{age: [{B}]}}]\n", "'shamir_threshold' is 3, and there are 2 key groups"),
    "a threshold of one": (f"creation_rules:\n  - shamir_threshold: 1\n    key_groups: [{{age: [{A}]}}, {{age: [{B}]}}]\n", "'shamir_threshold' is 1"),
    "a threshold below zero": (f"creation_rules:\n  - shamir_threshold: -1\n    age: {A}\n", "'shamir_threshold' is -1"),
    "keys that sops ignores": (f"creation_rules:\n  - age: {A}\n    key_groups: [{{age: [{B}]}}]\n", "'age' stands beside 'key_groups', where sops ignores it"),
    "an empty group": (f"creation_rules:\n  - key_groups: [{{age: [{A}]}}, {{}}]\n", "a key group without keys"),
    "a number as a group": ("creation_rules:\n  - key_groups: [5]\n", "'key_groups' must be a list of mappings"),
    "a text as the age of a group": (f"creation_rules:\n  - key_groups: [{{age: {A}}}]\n", "'age' must be a list of texts"),
    "a text as kms of a group": ("creation_rules:\n  - key_groups: [{kms: [a]}]\n", "'kms' must be a list of mappings"),
    "an alias to itself": ("creation_rules: &x\n  - age: *x\n", "an alias without an anchor"),
    "a list inside of itself": ("creation_rules:\n  - age: &x [*x]\n", "an alias without an anchor"),
    "an alias to nothing": ("creation_rules:\n  - age: *nobody\n", "an alias without an anchor"),
    "a merge of nothing": ("creation_rules:\n  - <<: 5\n", "'<<' must be a mapping"),
    "a duplicate field": (f"creation_rules:\n  - age: {A}\n    age: {B}\n", "'age' is given twice"),
    "a field that begins as another": (f"creation_rules:\n  - path: ^realms/\n    age: {A}\n", "unknown field 'path' (rule 1) did you mean 'path_regex'?"),
    "a misspelt field beside path_regex": (f"creation_rules:\n  - path_regex: ^realms/\n    age: {A}\n    encrypted_regexp: x\n", "did you mean 'encrypted_regex'?"),
    "brackets without end": ("creation_rules: " + "[" * 5000, "nested too deeply"),
    "no YAML": ("creation_rules: [\x00]", "repo/.sops.yaml"),
}  # fmt: skip


# Nothing to sops, which encrypts by the rule that is for the path: {A} is its recipient.
IGNORED = {
    "recipients by the dozen under keys": f"keys:\n  - &users:\n    - &a {A}\n  - &b:\n    - &c {B}\ncreation_rules:\n  - age: *a\n",
    "keys of any shape": f"keys: {{1: [x, {{? [a] : b}}], ~: !mine {{}}, 2024-01-02T3: y}}\ncreation_rules:\n  - age: {A}\n",
    "other sections": f"stores: {{yaml: {{indent: 2}}}}\nx-notes: [1]\ndestination_rules: nonsense\ncreation_rules:\n  - age: {A}\n",
    "a second document": f"creation_rules:\n  - age: {A}\n---\ncreation_rules: [\n",
    "a placeholder in another rule": f"creation_rules:\n  - path_regex: ^machines/\n    age: PLACEHOLDER\n  - age: {A}\n  - age: AGE\n",
    "misspelt fields in another rule": f"creation_rules:\n  - path_regex: ^machines/\n    ages: x\n    input_type: yaml\n  - age: {A}\n",
    "an unknown field like none of its own": f"creation_rules:\n  - age: {A}\n    input_type: yaml\n    name: prod\n",
    "fields without a value": f"creation_rules:\n  - path_regex:\n    pgp:\n    key_groups:\n    encrypted_regex:\n    age: {A}\n",
    "a tag": f"creation_rules:\n  - age: !mine {A}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORED)
def test_what_sops_ignores_is_ignored(name: str, tmp_path: Path) -> None:
    assert parse(IGNORED[name]).rule_for(DOCUMENT).age == (A,)
    (tmp_path / ".sops.yaml").write_text(IGNORED[name])
    if "nonsense" not in IGNORED[name]:
        assert _recipients(_encrypt(tmp_path, "realms/x/y.sops.yaml").stdout) == [A]


def test_a_sops_yml_is_found_to_be_ignored(tmp_path: Path) -> None:
    (tmp_path / "realms").mkdir()
    for path in (tmp_path / ".sops.yml", tmp_path / "realms" / ".sops.yml"):
        path.write_text("creation_rules: []\n")
        assert path in ignored_files(tmp_path / "realms")
    assert SopsConfig.find(tmp_path / "realms") is None


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place(name: str) -> None:
    text, expected = WRONG[name]
    said = problem(text)
    assert expected in said
    assert said.startswith("repo/.sops.yaml")


def test_aliases_cannot_multiply_without_end() -> None:
    bomb = f"a0: &a0 {{age: [{A}]}}\n" + "".join(
        f"a{n}: &a{n} {{merge: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 40)
    )
    assert "aliases repeat more than" in problem(bomb + "creation_rules:\n  - key_groups: [*a12]\n")
    some = "".join(line + "\n" for line in bomb.split("\n")[:5])
    assert "brings in too much" in problem(some + "creation_rules:\n  - key_groups: [*a4]\n")
    deep = "".join(f"a{n}: &a{n} {{merge: [*a{n - 1}]}}\n" for n in range(1, 30))
    assert "goes too deep" in problem(
        f"a0: &a0 {{age: [{A}]}}\n{deep}creation_rules: [{{key_groups: [*a29]}}]\n"
    )
    merged = "a0: &a0 {k: v}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 60)
    )
    assert "aliases repeat more than" in problem(merged + f"creation_rules: [{{age: {A}}}]\n")
    many = f"k: &k ['{','.join([A] * 3000)}']\ncreation_rules: [{{age: *k}}]\n"
    assert "more than 2000 keys" in problem(many)


def test_a_file_beyond_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".sops.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(InvalidFile, match="more than 1048576 bytes"):
        SopsConfig.find(tmp_path)
    (tmp_path / ".sops.yaml").unlink()
    (tmp_path / ".sops.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArcanError):
        SopsConfig.find(tmp_path)


def test_without_a_configuration_the_hint_is_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(NoRule) as caught:
        SopsConfig.required(tmp_path / "realms")
    assert f"write {tmp_path / '.sops.yaml'}" in str(caught.value.hint)
    lines = str(caught.value.hint).split("\n", 1)[1].replace("age1...", A)
    rules = SopsConfig.parse(lines.encode(), tmp_path / ".sops.yaml").rules
    assert [each.path_regex for each in rules] == [r"^realms/REALM/ENVIRONMENT(/[^/]+)?\.sops\.yaml$"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"  - &alice {A}", "alice"),
        (f"  - &alice '{A}' # Alice's laptop", "alice"),
        (f"  age: {A} # Alice, who is new", "Alice, who is new"),
        (f"  # the CI\n  - {A}", "the CI"),
        (f"  # of the rule\n  age: {A}", None),
        (f"  age: {A},{B} # both", None),
        (f"  # - {A} # gone", None),
        (f"  - {A}", None),
        (f"  - {A} # {'x' * 60}", "x" * 40),
    ],
)
def test_recipients_have_the_names_that_the_file_gives_them(line: str, name: str | None) -> None:
    assert recipient_names(line).get(A) == name


def test_an_ssh_key_has_the_name_in_its_comment() -> None:
    assert recipient_names(f"  - {SSH} bob@laptop\n") == {SSH: "bob@laptop"}
    assert recipient_names(f'  age: "{SSH} bob@laptop,{A}"\n') == {SSH: "bob@laptop"}
    assert recipient_names(f"  age: {SSH}\n") == {}


def test_names_never_hide_in_the_recipients_themselves() -> None:
    config: Any = parse(f"creation_rules:\n  - age:\n      # alice\n      - {A}\n      - {SSH} bob@x\n")
    assert config.names == {A: "alice", SSH: "bob@x"}
    assert config.rules[0].age == (A, f"{SSH} bob@x")
