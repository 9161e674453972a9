"""What somebody without a key can do to key files, and that the review of the pull request says so, without one.

Environment `staging` of realm `platform` has a file for each key; app `gateway` uses DNS_TOKEN.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.review.sample import CANARY, Sample

FOLDER = "realms/platform/staging"
PLACE = re.compile(r"^arcan_place: .*\n", re.MULTILINE)


def file(sample: Sample, key: str = "DNS_TOKEN") -> Path:
    return sample.path(f"{FOLDER}/{key}.sops.yaml")


def removed(sample: Sample) -> None:
    file(sample).unlink()


def put_back(sample: Sample) -> None:
    """The pull request starts where the value was changed already, and has the file of before."""
    before = file(sample).read_bytes()
    sample.sh("printf newer | arcan secret set platform DNS_TOKEN --env staging --stdin")
    sample.arcan("generate", "overlays")
    sample.repository.commit()
    sample.repository.git("branch", "--force", "main", "HEAD")
    file(sample).write_bytes(before)


def from_another_key(sample: Sample) -> None:
    file(sample).write_bytes(file(sample, "GRAFANA_TOKEN").read_bytes())


def from_another_key_renamed(sample: Sample) -> None:
    data = file(sample, "GRAFANA_TOKEN").read_bytes()
    file(sample).write_bytes(data.replace(b"\nGRAFANA_TOKEN:", b"\nDNS_TOKEN:"))


def from_another_environment(sample: Sample) -> None:
    sample.arcan("realm", "split", "platform", "--env=dev")
    file(sample).write_bytes(sample.path("realms/platform/dev/DNS_TOKEN.sops.yaml").read_bytes())


def from_another_realm(sample: Sample) -> None:
    sample.arcan("realm", "split", "production", "--env=staging")
    file(sample).write_bytes(sample.path("realms/production/staging/JWT_KEY.sops.yaml").read_bytes())


def two_names_but_for_their_case(sample: Sample) -> None:
    file(sample, "dns_token").write_bytes(file(sample).read_bytes())


def two_files_of_one_key(sample: Sample) -> None:
    file(sample, "OTHER").write_bytes(file(sample).read_bytes())


def two_keys(sample: Sample) -> None:
    recipients = [sample.recipients[name] for name in ("alice", "dave", "server", "break-glass")]
    tree = {"DNS_TOKEN": "x", "GRAFANA_TOKEN": "y"}
    file(sample).write_bytes(sops.encrypt(tree, recipients=recipients, place="platform/staging"))


def binding_of_another_place(sample: Sample) -> None:
    other = PLACE.search(sample.path("realms/platform/dev.sops.yaml").read_text())
    assert other is not None
    file(sample).write_text(PLACE.sub(lambda _: other[0], file(sample).read_text()))


def binding_in_clear(sample: Sample) -> None:
    file(sample).write_text(PLACE.sub("arcan_place: platform/staging\n", file(sample).read_text()))


def binding_removed(sample: Sample) -> None:
    file(sample).write_text(PLACE.sub("", file(sample).read_text()))


def recipient_in_the_file_alone(sample: Sample) -> None:
    text = file(sample).read_text()
    first, second = (found.start() for found in list(re.finditer("        - recipient", text))[:2])
    entry = re.sub(r"recipient: \S+", f"recipient: {sample.recipients['mallory']}", text[first:second])
    file(sample).write_text(text[:first] + entry + text[first:])


def garbage_for_one_recipient(sample: Sample) -> None:
    text = file(sample).read_text()
    *_, last = re.finditer(r"BEGIN AGE ENCRYPTED FILE-----\n\s+(\S+)", text)
    file(sample).write_text(text[: last.start(1)] + last[1][::-1] + text[last.end(1) :])


def forged(sample: Sample) -> None:
    recipients = [sample.recipients[name] for name in ("alice", "dave", "server", "break-glass")]
    data = sops.encrypt({"DNS_TOKEN": "mine"}, recipients=recipients, place="platform/staging")
    file(sample).write_bytes(data)


def both_layouts(sample: Sample) -> None:
    document = sample.path("realms/platform/dev.sops.yaml").read_bytes()
    sample.path(f"{FOLDER}.sops.yaml").write_bytes(document)


def folder_lost(sample: Sample) -> None:
    shutil.rmtree(sample.path(FOLDER))


def folder_renamed(sample: Sample) -> None:
    sample.path(FOLDER).rename(sample.path("realms/platform/stagin"))


def folder_a_link(sample: Sample) -> None:
    sample.path(FOLDER).rename(sample.path("elsewhere"))
    sample.path(FOLDER).symlink_to("../../elsewhere")


Attack = Callable[[Sample], None]
# the finding, and what it says; "note" where only the key can tell, and the drill or the gate does
FOUND: tuple[tuple[Attack, str, str], ...] = (
    (removed, "ARR108 broken", "key DNS_TOKEN of platform/staging is taken out, and is used by gateway"),
    (removed, "ARR122 broken", "platform/staging: DNS_TOKEN is gone, and no record says that it was meant"),
    (put_back, "ARR214 gain", "platform/staging/DNS_TOKEN"),
    (from_another_key, "ARR215 gain", "stood, at realms/platform/staging/GRAFANA_TOKEN.sops.yaml"),
    (from_another_key, "ARR122 broken", "DNS_TOKEN is gone"),
    (from_another_key_renamed, "ARR104 broken", "the ciphertext of GRAFANA_TOKEN"),
    (from_another_key_renamed, "ARR101 broken", "platform/staging/DNS_TOKEN: its MAC was made for other"),
    (from_another_environment, "ARR120 broken", "realms/platform/dev/DNS_TOKEN.sops.yaml, document of ano"),
    (from_another_realm, "ARR120 broken", "document of another place"),
    (from_another_realm, "ARR118 broken", "platform/staging/DNS_TOKEN: lacks dave"),
    (two_names_but_for_their_case, "ARR120 broken", "DNS_TOKEN and dns_token differ only in case"),
    (two_files_of_one_key, "ARR120 broken", "OTHER.sops.yaml: holds 'DNS_TOKEN', where 'OTHER' is wanted"),
    (two_keys, "ARR120 broken", "DNS_TOKEN.sops.yaml: holds 'GRAFANA_TOKEN' beside 'DNS_TOKEN'"),
    (binding_of_another_place, "ARR101 broken", "DNS_TOKEN: its MAC was made for other values (arcan_place)"),
    (binding_in_clear, "ARR113 broken", "platform/staging/DNS_TOKEN: arcan_place stands in clear"),
    (binding_removed, "ARR101 broken", "DNS_TOKEN: its MAC was made for other values (arcan_place)"),
    (recipient_in_the_file_alone, "ARR201 gain", "platform/staging/DNS_TOKEN: "),
    (recipient_in_the_file_alone, "ARR118 broken", "whom the rule does not name"),
    (garbage_for_one_recipient, "ARR305 note", "DNS_TOKEN: its data key is only wrapped anew"),
    (forged, "ARR306 note", "platform/staging/DNS_TOKEN: has a data key of its own: nobody who can read has"),
    (both_layouts, "ARR120 broken", "realms/platform/staging: the environment is there twice"),
    (folder_lost, "ARR108 broken", "environment platform/staging is taken out, and is used by gateway"),
    (folder_lost, "ARR122 broken", "platform/staging: DNS_TOKEN is gone"),
    (folder_renamed, "ARR108 broken", "environment platform/staging is taken out"),
    (folder_renamed, "ARR118 broken", "platform/stagin/DNS_TOKEN: no rule of .sops.yaml is for it"),
    (folder_a_link, "ARR120 broken", "realms/platform/staging: is a link out of the folder"),
)


@pytest.mark.parametrize("attack", dict.fromkeys(attack for attack, _, _ in FOUND), ids=lambda f: f.__name__)
def test_the_review_says_what_was_done_to_a_key_file_and_names_the_key(
    sample: Sample, attack: Attack
) -> None:
    attack(sample)
    printed = sample.arcan("review", "--format=json", "--fail-on=none")
    assert CANARY not in printed
    found = [(f"{each['rule']} {each['kind']}", each["message"]) for each in json.loads(printed)["findings"]]
    for one, rule, said in FOUND:
        if one is attack:
            assert any(rule == its and said in message for its, message in found), (rule, said, found)
