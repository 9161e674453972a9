"""Manifests that people wrote: what they ask for, where they send credentials, and what deploys them."""

from __future__ import annotations

import base64

import pytest

from arcan_gitops.review.deployed import Folder
from arcan_gitops.review.store_fields import differences
from tests.review.sample import CANARY, Sample
from tests.review.test_since_base import base_of, facts

EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: mine, namespace: shop}}
spec:
  secretStoreRef: {{kind: SecretStore, name: {store}}}
  target: {{name: mine}}
  data:
  - secretKey: a
    remoteRef: {{key: {key}}}
"""
STORE = """\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {{name: by-hand}}
spec:
  provider:
    webhook:
      url: "https://{host}/api/v1/eso/{realm}/{{{{ .remoteRef.key }}}}?env=prod"
      headers: {{X-Team: {team}, Authorization: "{authorization}"}}
      caBundle: {ca}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: tools, namespace: argocd}}
spec: {{project: default, source: {{repoURL: "{repository}", path: {path}}}}}
"""
OURS = "https://git.example.com/team.git"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def write(sample: Sample, path: str, text: str) -> None:
    sample.path(path).parent.mkdir(parents=True, exist_ok=True)
    sample.path(path).write_text(text)


@pytest.mark.parametrize(
    ("store", "key", "says"),
    [
        ("arcan.production.shop", "STRIPE_KEY", None),
        ("arcan.production.shop", "STRIPE_KEI", "key STRIPE_KEI of production/"),
        ("arcan.production.nobody", "STRIPE_KEY", "store SecretStore arcan.production.nobody"),
    ],
)
def test_an_external_secret_by_hand_names_a_store_and_a_key_that_are_there(
    sample: Sample, store: str, key: str, says: str | None
) -> None:
    write(sample, "tools/mine.yaml", EXTERNAL.format(store=store, key=key))
    lines = facts(sample).get("ARR107", [])
    assert [line.startswith(says) for line in lines] == ([True] if says else [])
    assert all("ExternalSecret shop/mine (tools/mine.yaml)" in line for line in lines)


def test_a_key_that_goes_and_is_asked_for_by_hand_is_in_use(sample: Sample) -> None:
    write(sample, "tools/mine.yaml", EXTERNAL.format(store="arcan.production.shop", key="SMTP_HOST"))
    base_of(sample)
    for environment in ("dev", "staging", "prod", "dr"):
        sample.arcan("secret", "unset", "production", "SMTP_HOST", f"--env={environment}", "--yes")
    assert any("tools/mine.yaml" in line for line in facts(sample)["ARR108"])


def test_a_store_by_hand_that_asks_for_a_realm_that_is_not_there_closes_nothing(sample: Sample) -> None:
    store = STORE.format(
        host="arcan.arcan.svc:9797", realm="nowhere", team="a", authorization="{{ .auth.token }}", ca=""
    )
    ask = EXTERNAL.format(store="by-hand", key="STRIPE_KEY").replace("SecretStore,", "ClusterSecretStore,")
    write(sample, "tools/store.yaml", store + "---\n" + ask)
    [line] = facts(sample)["ARR107"]
    assert line.startswith("environment nowhere/prod is not there")


def test_each_field_of_a_store_by_hand_is_told_before_and_after(sample: Sample) -> None:
    ca = base64.b64encode(b"one").decode()
    fields = {
        "host": "a.example.com",
        "realm": "production",
        "team": "a",
        "authorization": "{{ .auth.token }}",
        "ca": ca,
    }
    write(sample, "tools/store.yaml", STORE.format(**fields))
    [line] = facts(sample)["ARR209"]
    assert "ClusterSecretStore by-hand (tools/store.yaml) is new" in line
    assert "https://a.example.com/" in line
    base_of(sample)
    other = {
        "host": "b.example.com",
        "team": "b",
        "authorization": f"Bearer {CANARY}",
        "ca": base64.b64encode(b"two").decode(),
    }
    write(sample, "tools/store.yaml", STORE.format(**fields | other))
    [line] = facts(sample)["ARR209"]
    for part in (
        "url is https://b.example.com/api/v1/eso/production/",
        "and was https://a.example.com/api/v1/eso/production/",
        "X-Team is another (not shown)",
        "Authorization is another (not shown)",
        "caBundle is certificate sha256 3fc4ccfe745870e2, and was certificate sha256 7692c3ad3540bb80",
    ):
        assert part in line
    assert ca not in line


def test_each_field_of_a_declared_store_is_told_before_and_after(sample: Sample) -> None:
    settings = sample.path("kustomize/arcan.yaml")
    declared = '  webhook:\n    ours: {url: "https://a.example.net:443/x/{{ .remoteRef.key }}", headers: {X-Team: a}, result: {jsonPath: $.value}}\n'
    text = settings.read_text()
    settings.write_text(text.replace("stores:\n", f"stores:\n{declared}"))
    assert any("is sent to https://a.example.net:443" in line for line in facts(sample)["ARR209"])
    base_of(sample)
    settings.write_text(
        settings.read_text().replace("a.example.net", "b.example.net").replace("X-Team: a", "X-Team: b")
    )
    [line] = facts(sample)["ARR209"]
    assert "webhook.url is https://b.example.net:443, and was https://a.example.net:443" in line
    assert "webhook.headers.X-Team is another (not shown)" in line


@pytest.mark.parametrize(
    ("name", "was", "now", "says"),
    [
        ("url", "https://u:CANARY@a/CANARY?k=CANARY", "https://u:CANARY@b/x", "url is https://b, and was https://a"),
        ("url", "https://a/CANARY", "https://a/x", "url is another after its host (not shown)"),
        ("headers.X", "CANARY", "{{ .auth.token }}", "headers.X is another (not shown)"),
        ("headers.X", "{{ .auth.a }}", "{{ .auth.b }}", "headers.X is {{ .auth.b }}, and was {{ .auth.a }}"),
        ("body", "CANARY", "x", "body is another (not shown)"),
        ("password", "CANARY", None, "password is gone"),
        ("auth.secretRef.name", "a", "b", "auth.secretRef.name is b, and was a"),
        ("server", "https://vault:8200", "https://evil:8200", "server is https://evil:8200, and was https://vault:8200"),
    ],
)  # fmt: skip
def test_nothing_that_may_be_a_credential_is_shown(name: str, was: str, now: str | None, says: str) -> None:
    old, new = (
        {name: was.replace("CANARY", CANARY)},
        {} if now is None else {name: now.replace("CANARY", CANARY)},
    )
    assert differences(old, new) == [says]


def test_a_field_that_comes_or_goes_is_a_difference() -> None:
    assert differences({"a": {"key": "1"}}, {"a": {"name": "2"}}) == [
        "a.key is gone, and was 1",
        "a.name is new: 2",
    ]


@pytest.mark.parametrize(
    ("repository", "path", "broken"),
    [
        (OURS, "deploy/tools", True),
        ("ssh://git@git.example.com/team", "./deploy/tools/", True),
        ("git@git.example.com:team.git", "deploy/*", True),
        ("https://git.example.com/other.git", "deploy/tools", False),
        (OURS, "deploy/others", False),
    ],
)
def test_a_manifest_in_a_folder_that_an_application_deploys_breaks(
    sample: Sample, repository: str, path: str, broken: bool
) -> None:
    write(sample, "argo/tools.yaml", APPLICATION.format(repository=repository, path=f'"{path}"'))
    base_of(sample)
    write(sample, "deploy/tools/map.yaml", MAP)
    assert ("ARR117" in facts(sample)) is broken


def test_an_application_that_makes_a_folder_of_manifests_one_that_is_deployed_breaks(sample: Sample) -> None:
    write(sample, "deploy/tools/map.yaml", MAP)
    base_of(sample)
    assert "ARR117" not in facts(sample)
    write(sample, "argo/tools.yaml", APPLICATION.format(repository=OURS, path="deploy/tools"))
    [line] = facts(sample)["ARR117"]
    assert "deploy/tools/map.yaml" in line


def test_an_application_set_deploys_the_folders_of_its_git_generator(sample: Sample) -> None:
    write(
        sample,
        "argo/set.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all}\nspec:\n"
        f"  generators: [{{matrix: {{generators: [{{git: {{repoURL: {OURS}, directories: [{{path: teams/*}}, {{path: teams/b, exclude: true}}]}}}}]}}}}]\n"
        f"  template: {{spec: {{source: {{repoURL: {OURS}, path: '{{{{ .path.path }}}}'}}}}}}\n",
    )
    base_of(sample)
    write(sample, "teams/a/map.yaml", MAP)
    [line] = facts(sample)["ARR117"]
    assert "deploys teams/a" in line
    sample.path("teams/a/map.yaml").unlink()
    write(sample, "teams/b/map.yaml", MAP)
    assert "ARR117" not in facts(sample)


def test_without_a_kustomization_only_files_right_in_the_folder_are_deployed(sample: Sample) -> None:
    write(sample, "argo/tools.yaml", APPLICATION.format(repository=OURS, path="deploy/tools"))
    base_of(sample)
    write(sample, "deploy/tools/deep/map.yaml", MAP)
    assert "ARR117" not in facts(sample)
    write(sample, "deploy/tools/kustomization.yaml", "resources: [deep/map.yaml]\n")
    assert "ARR117" in facts(sample)


def test_where_people_deploy_manifests_of_their_own_only_what_deals_with_secrets_is_asked_about(
    sample: Sample,
) -> None:
    write(sample, "argo/tools.yaml", APPLICATION.format(repository=OURS, path="deploy/tools"))
    write(sample, "deploy/tools/map.yaml", MAP)
    base_of(sample)
    write(sample, "deploy/tools/more.yaml", MAP.replace("name: a", "name: b"))
    write(sample, "deploy/tools/mine.yaml", EXTERNAL.format(store="arcan.production.shop", key="STRIPE_KEY"))
    found = facts(sample)
    assert "ARR117" not in found
    [gain], [note] = found["ARR217"], found["ARR316"]
    assert "ExternalSecret shop/mine" in gain
    assert "deploy/tools/more.yaml" in note


@pytest.mark.parametrize(
    ("pattern", "path", "holds"),
    [
        ("a/b", "a/b/c.yaml", True),
        ("a/b", "a/bc/c.yaml", False),
        ("a/*", "a/x/c.yaml", True),
        (".", "c.yaml", True),
        ("a.b", "axb/c.yaml", False),
    ],
)
def test_a_folder_holds_what_is_below_it(sample: Sample, pattern: str, path: str, holds: bool) -> None:
    class Nothing:
        tree = type("Tree", (), {"files": {}})

    assert (Folder(pattern, True, "").holds(path, Nothing()) is not None) is holds  # type: ignore[arg-type]


RENAMED = "sed -i 's/  - name: search/  - name: find/' kustomize/apps/search.yaml"


def test_a_secret_that_is_renamed_is_told_as_one_and_that_pods_do_not_follow(sample: Sample) -> None:
    sample.sh(RENAMED)
    found = facts(sample)
    lines = [line for line in found["ARR307"] if "cluster eu" in line]
    assert lines == [
        "Secret search/search on cluster eu is called find now, by app search: pods that mount search, or take their "
        "environment from it, must name the new one, and do not start again before"
    ]
    assert any("it is called find now" in line for line in found["ARR109"])


def test_a_secret_that_is_renamed_with_a_record_breaks_nothing(sample: Sample) -> None:
    sample.sh(RENAMED)
    app = sample.path("kustomize/apps/search.yaml")
    app.write_text(app.read_text() + "  - name: search\n    removed: 2026-11-01\n")
    found = facts(sample)
    assert "ARR109" not in found
    assert [line for line in found["ARR307"] if "cluster eu" in line and "is called find now" in line]
    assert not [line for line in found["ARR307"] if "goes, as the files say" in line]


def test_who_decides_of_an_app_is_told_where_the_realm_has_other_owners(sample: Sample) -> None:
    sample.sh("sed -i 's/keys: .JWT_KEY./keys: [JWT_KEY, STRIPE_KEY]/' kustomize/apps/web.yaml")
    [line] = facts(sample)["ARR218"]
    assert line.startswith(
        "app web receives keys of production (dev, dr, prod, staging), whose owners are @example-org/payments"
    )
    owners = sample.path(".github/CODEOWNERS")
    before = owners.read_text()
    # of the owners of a line any one is enough: where another is among them, the realm's need not be asked
    for others, is_told in ((" @example-org/web", True), ("", False)):
        sample.sh("git checkout -q main -- kustomize")
        owners.write_text(f"{before}/kustomize/apps/web.yaml @example-org/payments{others}\n")
        base_of(sample)
        sample.sh("sed -i 's/keys: .JWT_KEY./keys: [JWT_KEY, STRIPE_KEY]/' kustomize/apps/web.yaml")
        assert ("ARR218" in facts(sample)) is is_told


def test_the_owners_of_each_key_file_that_an_app_receives_are_asked(sample: Sample) -> None:
    owners = sample.path(".github/CODEOWNERS")
    owners.write_text(
        f"{owners.read_text()}/realms/platform/ @example-org/metrics\n"
        "/realms/platform/staging/DNS_TOKEN.sops.yaml @example-org/network\n"
        "/kustomize/apps/metrics.yaml @example-org/metrics\n"
    )
    base_of(sample)
    app = sample.path("kustomize/apps/metrics.yaml")
    before = app.read_text()
    for key, asked in (("REGISTRY_USER", []), ("DNS_TOKEN", ["@example-org/network"])):
        app.write_text(before.replace("keys: [GRAFANA_TOKEN]", f"keys: [GRAFANA_TOKEN, {key}]"))
        assert app.read_text() != before
        found = facts(sample).get("ARR218", [])
        assert len(found) == len(asked)
        for line, owner in zip(found, asked, strict=True):
            assert line.startswith(
                f"app metrics receives keys of platform (staging), whose owners are {owner};"
            )


def test_a_name_of_a_secret_that_an_app_did_not_use_is_where_it_lands(sample: Sample) -> None:
    sample.sh(RENAMED)
    [line] = [line for line in facts(sample)["ARR207"] if "name that it did not use" in line]
    assert line.startswith("app search: a Secret lands under a name that it did not use: search/find on lab")
    app = sample.path("kustomize/apps/search.yaml")
    sample.sh("git checkout -q main -- kustomize")
    app.write_text(app.read_text() + "  - name: argocd-secret\n    keys: [SEARCH_KEY]\n")
    assert any("search/argocd-secret" in line for line in facts(sample)["ARR207"])


def test_a_check_that_is_switched_off_by_a_comment_is_a_gain(sample: Sample) -> None:
    text = "# arcan-lint: ignore ARC032 an old one\n" + MAP
    write(sample, "tools/map.yaml", text)
    base_of(sample)
    write(sample, "tools/map.yaml", text + "data: {a: b}\n")
    assert "ARR210" not in facts(sample)
    write(sample, "tools/map.yaml", text + "# arcan-lint: ignore ARC030 we wait long\ndata: {a: b}\n")
    assert facts(sample)["ARR210"] == ["tools/map.yaml: the linter passes over ARC030 from now on"]


@pytest.mark.parametrize(
    ("path", "old", "new", "rule", "says"),
    [
        (
            "clusters/eu.yaml",
            "https://kubernetes.default",
            "https://other.default",
            "ARR205",
            "cluster eu has another issuer",
        ),
        (
            "kustomize/apps/web.yaml",
            "realm: production",
            "realm: production\\nconsistency: latest",
            "ARR308",
            "consistency latest, and had pinned",
        ),
        (
            "kustomize/arcan.yaml",
            "environment: dr,",
            "environment: nowhere,",
            "ARR107",
            "environment production/nowhere is not there",
        ),
        (
            "kustomize/apps/web.yaml",
            "realm: production",
            "realm: production\\nrefreshPolicy: CreatedOnce",
            "ARR308",
            "CreatedOnce",
        ),
    ],
)
def test_each_thing_of_the_lists_has_its_finding(
    sample: Sample, path: str, old: str, new: str, rule: str, says: str
) -> None:
    sample.sh(f"sed -i 's#{old}#{new}#' {path}")
    assert any(says in line for line in facts(sample)[rule])


def test_an_application_that_people_wrote_decides_what_is_deployed(sample: Sample) -> None:
    write(
        sample, "argo/tools.yaml", APPLICATION.format(repository="https://git.example.net/evil.git", path="a")
    )
    [line] = facts(sample)["ARR213"]
    assert line.startswith("argo/tools.yaml: Application argocd/tools is new")
    base_of(sample)
    sample.path("argo/tools.yaml").write_text("# about it\n" + sample.path("argo/tools.yaml").read_text())
    assert "ARR213" not in facts(sample)


@pytest.mark.parametrize(
    "value", ["5", "a", "[5, [a], {b: 5}]", "{a: 5}", "{git: 5}", "[{git: {directories: 5}}]", "null"]
)
def test_whatever_stands_where_argo_cd_and_eso_have_something_else_stops_no_review(
    sample: Sample, value: str
) -> None:
    for number, (kind, fields) in enumerate(
        (
            ("argoproj.io/v1alpha1\nkind: Application", f"{{source: {value}, sources: {value}}}"),
            (
                "argoproj.io/v1alpha1\nkind: Application",
                f"{{source: {{path: {value}, repoURL: {value}, directory: {value}}}}}",
            ),
            ("argoproj.io/v1alpha1\nkind: ApplicationSet", f"{{generators: {value}, template: {value}}}"),
            (
                "external-secrets.io/v1\nkind: ExternalSecret",
                f"{{secretStoreRef: {value}, data: {value}, dataFrom: {value}}}",
            ),
            ("external-secrets.io/v1\nkind: SecretStore", f"{{provider: {{webhook: {value}}}}}"),
            ("external-secrets.io/v1\nkind: SecretStore", value),
        )
    ):
        write(
            sample,
            f"tools/{number}.yaml",
            f"apiVersion: {kind}\nmetadata: {{name: a{number}}}\nspec: {fields}\n",
        )
    write(
        sample,
        "tools/more.yaml",
        f"apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {value}\n",
    )
    write(sample, "kustomize/extra/kustomization.yaml", f"resources: {value}\n")
    assert "ARR209" in facts(sample)


def test_a_pattern_that_is_made_to_be_slow_is_matched_part_by_part(sample: Sample) -> None:
    write(sample, "argo/tools.yaml", APPLICATION.format(repository=OURS, path=f'"{"*a" * 40}/{"{{" * 500}"'))
    write(sample, f"{'a' * 200}/{'{' * 50}/map.yaml", MAP)
    assert "ARR213" in facts(sample)
