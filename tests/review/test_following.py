"""What becomes of the Kubernetes Secrets once a branch is merged. That Argo CD, the server and ESO then do so is a
story: tests/e2e/story_argocd_review.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.review.sample import Sample

_GENERATE = "arcan generate overlays"


def reported(sample: Sample, *lines: str) -> Any:
    sample.sh("\n".join(lines))
    return json.loads(sample.arcan("review", "--format=json", "--fail-on=none", "--facts-only"))


def fates(sample: Sample, *lines: str, cluster: str = "eu") -> dict[str, str]:
    """`namespace/name` -> what becomes of it, on one cluster."""
    return {
        f"{each['namespace']}/{each['name']}": each["what"]
        for each in reported(sample, *lines)["secrets"]
        if each["cluster"] == cluster
    }


def append(app: str, text: str) -> str:
    return f"printf '{text}\\n' >> kustomize/apps/{app}.yaml"


def set_value(key: str, realm: str = "production", environment: str = "prod") -> str:
    return f"printf following | arcan secret set {realm} {key} --env {environment} --stdin"


def test_a_changed_value_changes_the_secrets_that_have_it(sample: Sample):
    report = reported(sample, set_value("JWT_KEY"), _GENERATE)
    assert report["secrets"] == [
        {"cluster": "eu", "namespace": "web", "name": "web", "app": "web", "what": "changed", "why": None}
    ]


def test_of_a_rotation_only_the_key_can_tell_whether_a_secret_changes(sample: Sample):
    report = reported(sample, "arcan realm rotate platform --env prod", _GENERATE)
    assert {each["what"] for each in report["secrets"]} == {"may change"}
    assert report["sentence"].startswith(
        "4 secrets encrypted anew in platform/prod; 2 Kubernetes Secrets may change, which only the key can tell"
    )


def test_key_files_that_share_a_new_data_key_are_rotated_and_one_alone_is_proposed(sample: Sample):
    report = reported(sample, "arcan realm rotate platform --env staging", _GENERATE)
    assert {each["what"] for each in report["secrets"]} == {"may change"}
    rules = [finding["rule"] for finding in report["findings"]]
    assert rules.count("ARR216") == 1
    assert "ARR306" not in rules
    sample.repository.commit()
    nobody = "env -u SOPS_AGE_KEY_FILE HOME=/nonexistent arcan"
    proposed = f"printf proposed | {nobody} secret set platform DNS_TOKEN --env staging --stdin"
    sample.start()
    report = reported(sample, proposed, _GENERATE)
    assert [(each["name"], each["what"]) for each in report["secrets"]] == [("gateway", "changed")]
    assert "ARR306" in [finding["rule"] for finding in report["findings"]]


@pytest.mark.parametrize(
    "line",
    [
        "sed -i 's/^refreshInterval: 1h/refreshInterval: 2h/' kustomize/arcan.yaml",
        "sed -i 's/^secrets:/consistency: latest\\n&/' kustomize/apps/web.yaml",
        append("web", "    deletionPolicy: Delete"),
        "arcan token scope shop --realm production --add-key JWT_KEY",
        "sed -i '/# bob$/d' .sops.yaml",
    ],
    ids=["interval", "consistency", "deletionPolicy", "scope", "rules"],
)
def test_what_changes_no_content_is_followed_by_no_secret(line: str, sample: Sample):
    assert fates(sample, line, _GENERATE) == {}


@pytest.mark.parametrize(
    "text",
    [
        '    template: {data: {url: "a{{ .JWT_KEY }}"}, mergePolicy: Merge}',
        "    template: {labels: {a: b}}",
        "    labels: {a: b}",
        "    annotations: {a: b}",
    ],
)
def test_what_is_declared_of_the_content_changes_the_secret(text: str, sample: Sample):
    report = reported(sample, append("web", text), _GENERATE)
    assert [(each["name"], each["what"]) for each in report["secrets"]] == [("web", "changed")] * 4
    assert "ARR307" in {finding["rule"] for finding in report["findings"]}


def test_a_decoding_changes_the_secret(sample: Sample):
    decoded = "sed -i 's/keys: .JWT_KEY./keys: [{key: JWT_KEY, decode: Base64}]/' kustomize/apps/web.yaml"
    assert fates(sample, decoded, _GENERATE) == {"web/web": "changed"}


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ("    immutable: true", set_value("JWT_KEY"), "immutable"),
        ("    refreshPolicy: CreatedOnce", set_value("JWT_KEY"), "CreatedOnce"),
        (
            "    labels: {a: b}",
            "sed -i 's/labels:.*/type: kubernetes.io\\/tls/' kustomize/apps/web.yaml",
            "type",
        ),
        ("    creationPolicy: Orphan", "arcan app remove web --yes", "Orphan"),
    ],
    ids=["immutable", "created once", "another type", "orphan"],
)
def test_a_secret_that_eso_leaves_alone_stays(first: str, then: str, why: str, sample: Sample):
    sample.sh(f"{append('web', first)}\n{_GENERATE}\ngit checkout -q -B before\ngit commit -q -a -m before")
    if "tls" in then:
        tls = "keys: [{key: JWT_KEY, as: tls.crt}, {key: JWT_KEY, as: tls.key}]"
        then += f"\nsed -i 's/keys:.*/{tls}/' kustomize/apps/web.yaml"
    sample.sh(f"{then}\n{_GENERATE}")
    report = json.loads(sample.arcan("review", "before", "--format=json", "--fail-on=none", "--facts-only"))
    (found,) = [each for each in report["secrets"] if each["cluster"] == "eu"]
    assert found["what"] == "stays"
    assert why in found["why"]


def test_a_secret_whose_overlay_was_not_generated_stays(sample: Sample):
    report = reported(
        sample, set_value("JWT_KEY"), append("search", "  - name: more\\n    keys: [SEARCH_KEY]")
    )
    found = {each["name"]: (each["what"], each["why"]) for each in report["secrets"]}
    assert found["web"] == ("stays", "its manifest is that of before: arcan generate overlays")
    assert found["more"][0] == "stays"
    assert report["sentence"].startswith(
        "1 secret changes in production/prod; 5 Kubernetes Secrets stay behind"
    )


def test_a_merge_with_the_mac_of_one_side_keeps_every_secret(sample: Sample):
    sample.sh(
        f"""git checkout -q -B other
        {set_value("DATABASE_URL")}
        git commit -q -a -m theirs
        git checkout -q topic
        {set_value("SMTP_PASSWORD")}
        git commit -q -a -m ours
        git merge -q -X ours --no-edit other > /dev/null"""
    )
    report = reported(sample, _GENERATE)
    found = {each["name"]: (each["what"], each["why"]) for each in report["secrets"]}
    refused = ("stays", "the server refuses its document, and goes on with that of before")
    assert found == dict.fromkeys(("billing", "mailer", "shop"), refused)


GONE = "arcan secret unset production JWT_KEY --env prod --yes"


@pytest.mark.parametrize(
    ("consistency", "deletion", "what"),
    [
        ("pinned", "Retain", "stays"),
        ("pinned", "Delete", "stays"),  # a read that names a version is answered 503
        ("latest", "Retain", "stays"),
        ("latest", "Delete", "gone"),
    ],
)
def test_a_key_that_goes_takes_a_secret_along_only_where_that_is_read_without_a_version(
    consistency: str, deletion: str, what: str, sample: Sample
) -> None:
    sample.sh(
        f"""sed -i 's/^secrets:/consistency: {consistency}\\n&/' kustomize/apps/web.yaml
        {append("web", f"    deletionPolicy: {deletion}")}
        {_GENERATE}
        git checkout -q -B before"""
    )
    sample.repository.commit()
    sample.sh(f"git checkout -q -B after\n{GONE}")
    report = json.loads(sample.arcan("review", "before", "--format=json", "--fail-on=none", "--facts-only"))
    assert [(each["name"], each["what"]) for each in report["secrets"]] == [("web", what)]


def test_a_key_that_goes_without_a_record_takes_no_secret_of_all_keys_along(sample: Sample):
    sample.sh(
        f"""printf 'name: all\\nrealm: platform\\nnamespace: all\\noverlays: [staging]\\nsecrets:\\n' > kustomize/apps/all.yaml
        {append("all", "  - {name: all, all: true}")}
        arcan token sync
        {_GENERATE}
        git checkout -q -B before"""
    )
    sample.repository.commit()
    sample.sh("git checkout -q -B after\ngit rm -q realms/platform/staging/DNS_TOKEN.sops.yaml")
    report = json.loads(sample.arcan("review", "before", "--format=json", "--fail-on=none", "--facts-only"))
    assert {each["name"]: each["what"] for each in report["secrets"]} == {"all": "stays", "gateway": "stays"}


def test_an_app_whose_account_may_not_read_gets_no_secret(sample: Sample):
    text = "name: new\\nrealm: production\\nnamespace: new\\noverlays: [prod]\\nsecrets:\\n  - {name: new, keys: [JWT_KEY]}\\n"
    manifest = "kustomize/overlays/prod/new/apps"
    report = reported(
        sample,
        f"printf '{text}' > kustomize/apps/new.yaml",
        f"mkdir -p {manifest} && printf 'x: y\\n' > {manifest}/new.yaml",
    )
    (found,) = report["secrets"]
    assert (found["what"], found["why"]) == (
        "stays",
        "is not made: account 'eu/new/arcan-reader' is not there",
    )


def test_every_format_names_each_secret_and_what_becomes_of_it(sample: Sample):
    sample.sh(f"{set_value('JWT_KEY')}\n{_GENERATE}")
    assert "  web/web on eu: changed\n" in sample.arcan("review", "--facts-only")
    assert "| `web/web` | `eu` | `web` | changed |" in sample.arcan(
        "review", "--facts-only", "--format=markdown"
    )
    assert "<code>eu</code></td><td><code>web</code></td><td>changed</td>" in sample.arcan(
        "review", "--facts-only", "--format=html"
    )
