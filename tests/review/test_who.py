"""`arcan who-can-read` names everybody and everything, from Git alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from arcan_gitops.errors import ArcanError
from tests.review.sample import CANARY, Sample
from tests.review.test_html import OURS, Page


def asked(sample: Sample, *arguments: str) -> dict[str, Any]:
    [found] = json.loads(sample.arcan("who-can-read", *arguments, "--format=json"))
    return dict(found)


def names(found: dict[str, Any], field: str) -> list[str]:
    return [entry["name"].partition(" (")[0] for entry in found[field]]


def test_a_key_is_read_by_people_tokens_accounts_and_secrets(sample: Sample):
    found = asked(sample, "production", "STRIPE_KEY", "--env=prod")
    assert names(found, "recipients") == ["alice", "bob", "server", "break-glass"]
    assert names(found, "tokens") == ["billing", "shop"]
    assert found["accounts"] == []
    assert [(entry["cluster"], entry["namespace"], entry["name"]) for entry in found["secrets"]] == [
        ("eu", "billing", "billing"),
        ("eu", "shop", "shop"),
    ]
    assert found["former"] == []
    found = asked(sample, "production", "JWT_KEY", "--env=prod")
    assert (found["tokens"], names(found, "accounts")) == ([], ["eu/web/arcan-reader"])


def test_without_a_key_or_environment_all_are_told(sample: Sample):
    text = sample.arcan("who-can-read", "platform")
    assert [line for line in text.splitlines() if not line.startswith(" ") and line] == [
        "platform/dev",
        "platform/dr",
        "platform/prod",
        "platform/staging",
    ]
    assert CANARY not in text


def test_who_left_is_told_until_the_value_is_changed(sample: Sample):
    rules = sample.path(".sops.yaml")
    sample.path(".sops.yaml").write_text(
        "\n".join(line for line in rules.read_text().splitlines() if not line.endswith("# bob")) + "\n"
    )
    sample.arcan("realm", "updatekeys", "production", "--env=prod")
    sample.repository.commit()
    [left] = asked(sample, "production", "STRIPE_KEY", "--env=prod")["former"]
    assert (left["kind"], left["certain"], left["until"]) == ("recipient", True, sample.main)
    sample.arcan("realm", "rotate", "production", "--env=prod")
    sample.repository.commit()
    [left] = asked(sample, "production", "STRIPE_KEY", "--env=prod")["former"]
    assert left["certain"] is False
    sample.arcan("secret", "set", "production", "STRIPE_KEY", "--env=prod", "--stdin", given="changed")
    sample.repository.commit()
    assert asked(sample, "production", "STRIPE_KEY", "--env=prod")["former"] == []
    assert asked(sample, "production", "JWT_KEY", "--env=prod")["former"] != []


def test_a_token_that_was_revoked_is_told_until_the_value_is_changed(sample: Sample):
    sample.arcan("token", "revoke", "billing", "--realm=production", "--yes")
    sample.repository.commit()
    [left] = asked(sample, "production", "STRIPE_KEY", "--env=prod")["former"]
    assert (left["kind"], left["name"]) == ("token", "billing")


def test_the_state_of_a_commit_is_not_that_of_the_work_tree(sample: Sample):
    sample.path("realms/production/tokens.yaml").unlink()
    assert asked(sample, "production", "STRIPE_KEY", "--env=prod")["tokens"] == []
    assert names(asked(sample, "production", "STRIPE_KEY", "--env=prod", "--at=HEAD"), "tokens") != []


def test_what_is_not_there_is_told_with_what_is_near(sample: Sample):
    for arguments, near in (
        (["productoin"], "did you mean 'production'?"),
        (["production", "STRIPE_KEI"], "did you mean 'STRIPE_KEY'?"),
        (["production", "--env=prd"], "did you mean 'prod'?"),
    ):
        error = sample.run("who-can-read", *arguments).exception
        assert isinstance(error, ArcanError)
        assert error.hint == near


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_told(sample: Sample):
    sample.path("realms/production/dev.sops.yaml").write_text("<<<<<<< HEAD\n")
    done = sample.run("who-can-read", "production", "--env=prod")
    assert done.exit_code == 0
    assert "realms/production/dev.sops.yaml" in done.stderr


def test_a_shallow_or_partial_clone_says_what_it_lacks(sample: Sample, tmp_path: Path):
    sample.arcan("secret", "set", "production", "STRIPE_KEY", "--env=prod", "--stdin", given="changed")
    sample.repository.commit()
    sample.repository.git("config", "uploadpack.allowFilter", "true")
    for option, says in (("--depth=1", "--unshallow"), ("--filter=blob:none", "partial clone")):
        clone = tmp_path / option.strip("-")[:5]
        source = f"file://{sample.root}"
        subprocess.run(
            ["git", "clone", "--quiet", option, source, str(clone)], check=True, capture_output=True
        )
        done = sample.run("who-can-read", "production", "STRIPE_KEY", "--env=prod", folder=clone)
        assert says in done.stderr
        assert "shop/shop" in done.stdout


def test_the_page_shows_who_gets_which_keys_and_where_they_go(sample: Sample):
    sample.arcan("token", "revoke", "billing", "--realm=production", "--yes")
    sample.repository.commit()
    printed = sample.arcan("who-can-read", "production", "STRIPE_KEY", "--env=prod", "--format=html")
    assert CANARY not in printed
    assert "default-src 'none'" in printed
    page = Page(printed)
    assert page.tags <= OURS
    assert not page.attributes & {"href", "src", "style", "onclick", "onload"}
    parts = [
        "Who can read production STRIPE_KEY?",
        "recipients",
        "alice (",
        "tokens and accounts",
        "token 'shop'",
        "\u2192 keys",
        "\u2192 apps",
        "shop: STRIPE_KEY",
        "\u2192 Kubernetes Secrets",
        "shop/shop on eu",
        "Could once",
        "token billing",
        "is the same",
    ]
    text = page.text[page.text.index("Who can read production STRIPE_KEY?", 100) :]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_names_that_are_markup_are_text_in_the_page(sample: Sample):
    name = "<img src=x onerror=alert(1)>"
    rules = sample.path(".sops.yaml")
    rules.write_text(rules.read_text().replace("# alice", f"# {name}"))
    page = Page(sample.arcan("who-can-read", "production", "--env=prod", "--format=html"))
    assert name in page.text
    assert page.tags <= OURS


def test_what_is_folded_in_the_page_is_there(sample: Sample):
    keys = "\n".join(f"EXTRA_{number:02}=x" for number in range(30))
    sample.arcan("secret", "import", "production", "--env=prod", "-", given=keys)
    page = Page(sample.arcan("who-can-read", "production", "--env=prod", "--format=html"))
    assert "and 24 more" in page.text
    assert "EXTRA_29" in page.text
