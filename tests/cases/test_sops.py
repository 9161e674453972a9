"""sops/: documents and rules that people have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arcan_gitops.getsops import BinaryFailed, Fallback, NotAllowed
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import text_of
from arcan_gitops.realms.check import check
from arcan_gitops.realms.importing import BadImport, read_values
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.sops import Identities, Limits, load, outline
from arcan_gitops.sops import encrypt as encrypt_natively
from tests.support.handed_over import fallback
from tests.support.realm_files import RealmFiles, encrypt, new_identity, run_sops

CASES = Path(__file__).parent / "sops"
POST_QUANTUM = (CASES / "pq" / "recipient.txt").read_text().strip()


def age_keys(name: str) -> str:
    return (CASES / "pq" / name).read_text()


def check_with(folder: Path, rules: str, document: bytes) -> list[str]:
    """The problems of a realm that holds this document as shop/prod."""
    files = RealmFiles(folder)
    path = files.path("shop", "prod")
    path.parent.mkdir()
    path.write_bytes(document)
    (folder / ".sops.yaml").write_text(rules)
    return [problem.message for problem in check(files.root).problems]


def test_a_document_for_x25519_and_a_post_quantum_recipient_opens_with_the_former() -> None:
    document = load(
        (CASES / "pq" / "mixed.sops.yaml").read_bytes(), identities=[age_keys("identity-x25519.txt")]
    )
    assert document.keys == ("K", "L")
    assert document.metadata.recipients[1] == POST_QUANTUM


@pytest.mark.parametrize("name", ["mixed", "pq"])
def test_post_quantum_recipients_are_compared_with_the_rule(name: str, tmp_path: Path) -> None:
    data = (CASES / "pq" / f"{name}.sops.yaml").read_bytes()
    recipients = ", ".join(outline(data).metadata.recipients)
    assert check_with(tmp_path / "same", f"creation_rules: [{{age: '{recipients}'}}]\n", data) == []
    other = recipients.replace(POST_QUANTUM, POST_QUANTUM[:-6] + "qqqqqq")
    [problem] = check_with(tmp_path / "other", f"creation_rules: [{{age: '{other}'}}]\n", data)
    assert "lacks age1pq1" in problem


def test_a_post_quantum_document_says_what_it_needs_and_a_sops_that_is_too_old_is_named() -> None:
    data = (CASES / "pq" / "pq.sops.yaml").read_bytes()
    held = Identities([age_keys("identity.txt")], keep_others=True)
    with pytest.raises(NotAllowed, match=r"needs post-quantum age \(age-pq\)") as refused:
        Fallback().load(data, identities=held)
    assert refused.value.hint == "give --sops-binary PATH --allow-key-type age-pq"
    with pytest.raises(BinaryFailed, match=r"is sops 3\.11\.0, and post-quantum age needs 3\.12\.0 or newer"):
        fallback("age-pq").load(data, identities=held)


@pytest.mark.parametrize("name", ["sops-yaml-users", "sops-yaml-other-rule"])
def test_a_sops_yaml_is_used_as_sops_uses_it(name: str, tmp_path: Path) -> None:
    (_, one), (_, two) = new_identity(), new_identity()
    text = (CASES / f"{name}.yaml").read_text().replace("AGE_RECIPIENT", f"{one},{two}")
    for placeholder, recipient in zip(re.findall(r"age1\w+", text), (one, two), strict=False):
        text = text.replace(placeholder, recipient)
    config = SopsConfig.parse(text.encode(), tmp_path / ".sops.yaml")
    assert config.rule_for(tmp_path / "realms" / "shop" / "prod.sops.yaml").age == (one, two)
    data = encrypt_natively({"A": "x"}, recipients=[one, two])
    assert check_with(tmp_path, text, data) == []


def test_an_rsa_key_of_8192_bits_is_a_recipient_like_any_other(tmp_path: Path) -> None:
    recipient = (CASES / "rsa8192.pub").read_text().strip()
    data = encrypt_natively({"A": "x"}, recipients=[recipient])
    assert check_with(tmp_path, f"creation_rules: [{{age: '{recipient}'}}]\n", data) == []
    assert outline(encrypt("A: x\n", recipient)).metadata.recipients == (recipient,)


def test_minus_zero_in_json_verifies_as_sops_wrote_it() -> None:
    identity, recipient = new_identity()
    plain = b'{"a_unencrypted": -0, "b": "x"}'
    types = ("--input-type", "json", "--output-type", "json")
    made = run_sops("encrypt", "--age", recipient, *types, "/dev/stdin", data=plain).stdout
    assert b'"a_unencrypted": -0,' in made
    document = load(made, format="json", identities=[identity], limits=Limits(allow_unencrypted=("a_*",)))
    assert str(document.tree["a_unencrypted"]) == "-0.0"
    assert text_of(document.tree["a_unencrypted"]) == "-0"
    document.set("b", "y")
    edited = document.dump()
    assert run_sops("decrypt", *types, "/dev/stdin", data=edited, identity=identity).returncode == 0


def test_each_number_that_json_would_change_is_named() -> None:
    place = Place(Path("realms"), RealmName("shop"), EnvironmentName("prod"))
    with pytest.raises(BadImport, match="key 'id', key 'version', key 'e', key 'x': numbers that would"):
        read_values((CASES / "numbers.json").read_bytes(), "numbers.json", place=place)


def test_a_secret_of_flux_in_a_realm_is_recognised(tmp_path: Path) -> None:
    files = RealmFiles(tmp_path)
    plain = (CASES / "secret.yaml").read_text()
    path = files.path("shop", "prod")
    path.parent.mkdir()
    path.write_bytes(encrypt(plain, files.recipient, options=("--encrypted-regex", "^(data|stringData)$")))
    [problem] = check(files.root).problems
    assert "is an encrypted Kubernetes Secret" in problem.message
    assert "arcan import sops shop shop-prod.secret.sops.yaml --env prod" in str(problem.hint)
