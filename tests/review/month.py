"""A month of pull requests to the sample repository: what each does, what must be said of it, and what must not.

`good` ones get nothing broken and no gain but those that they ask for. Scripts are what people type.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_DOCUMENT: Final = "realms/production/prod.sops.yaml"
_GENERATE: Final = "arcan generate overlays"


class PullRequest(NamedTuple):
    """`must` are findings that it gets. A good one gets no other broken one and no other gain; of any one,
    `must_not` are those that would be wrong.
    """

    name: str
    script: str
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    good: bool = False


def _set(key: str, realm: str = "production", environment: str = "prod", value: str = "changed") -> str:
    return f"printf {value} | arcan secret set {realm} {key} --env {environment} --stdin"


def _edit(path: str, old: str, new: str) -> str:
    return f"sed -i 's#{old}#{new}#' {path}"


_OTHER_BRANCH: Final = """\
git checkout -q -B other
{theirs}
git commit -q -a -m theirs
git checkout -q topic
{ours}
git commit -q -a -m ours
"""
_TWO_SIDES: Final = _OTHER_BRANCH.format(theirs=_set("DATABASE_URL"), ours=_set("SMTP_PASSWORD"))
_MERGED: Final = "git merge -q -X {side} --no-edit other > /dev/null"
GOOD: Final = (
    PullRequest("a value is changed", f"{_set('STRIPE_KEY')}\n{_GENERATE}", ("ARR304", "ARR311"), good=True),
    PullRequest(
        "a value is changed in two environments",
        f"{_set('JWT_KEY')}\n{_set('JWT_KEY', environment='dr')}\n{_GENERATE}",
        ("ARR304",),
        good=True,
    ),
    PullRequest("a key is added", _set("NEW_KEY") + "\n" + _GENERATE, ("ARR301", "ARR309"), good=True),
    PullRequest(
        "a key that no app uses is removed",
        "arcan secret unset platform REGISTRY_USER --env dev --yes\n" + _GENERATE,
        ("ARR302",),
        good=True,
    ),
    PullRequest(
        "a key that no app uses is renamed",
        "arcan secret rename platform REGISTRY_USER REGISTRY_LOGIN --env dev\n" + _GENERATE,
        ("ARR303",),
        good=True,
    ),
    PullRequest(
        "a data key is rotated",
        "arcan realm rotate production --env dev\n" + _GENERATE,
        ("ARR216",),
        good=True,
    ),
    PullRequest(
        "somebody leaves",
        "sed -i '/# bob$/d' .sops.yaml\narcan realm rotate production\n" + _GENERATE,
        ("ARR313", "ARR216", "ARR213"),
        ("ARR116", "ARR118", "ARR202"),
        good=True,
    ),
    PullRequest(
        "an app gets one more key, and its token reads it",
        "sed -i 's/keys: \\[GRAFANA_TOKEN\\]/keys: [GRAFANA_TOKEN, DNS_TOKEN]/' kustomize/apps/metrics.yaml\n"
        "arcan token scope metrics --realm platform --add-key DNS_TOKEN\n" + _GENERATE,
        ("ARR206", "ARR203", "ARR307"),
        ("ARR107",),
        good=True,
    ),
    PullRequest(
        "an app is removed", f"arcan app remove search --yes\n{_GENERATE}", ("ARR307", "ARR312"), good=True
    ),
    PullRequest(
        "secrets are asked for less often",
        _edit("kustomize/arcan.yaml", "refreshInterval: 1h0m0s", "refreshInterval: 2h0m0s")
        + "\n"
        + _GENERATE,
        ("ARR308",),
        good=True,
    ),
    PullRequest("the README is better", "printf 'more\\n' >> README.md", (), good=True),
    PullRequest(
        "a token is rotated",
        "arcan token rotate shop --realm production --output-file ../t.txt",
        ("ARR203",),
        good=True,
    ),
    PullRequest(
        "a token ends sooner",
        "arcan token scope shop --realm production --expires 30d --yes",
        (),
        ("ARR203",),
        good=True,
    ),
    PullRequest(
        "a comment in the rules names somebody better",
        "sed -i 's/# alice$/# alice-smith/' .sops.yaml",
        ("ARR213",),
        ("ARR202", "ARR118"),
        good=True,
    ),
    PullRequest(
        "two branches change two realms, and merge",
        _OTHER_BRANCH.format(theirs=_set("GRAFANA_TOKEN", "platform"), ours=_set("SMTP_PASSWORD"))
        + "git merge -q --no-edit other\n"
        + _GENERATE,
        ("ARR304",),
        good=True,
    ),
    PullRequest(
        "a realm has to be bound",
        "printf 'binding: required\\n' >> realms/production/realm.yaml",
        (),
        ("ARR211",),
        good=True,
    ),
    PullRequest(
        "an environment is new",
        "printf '  - path_regex: ^realms/platform/lab\\\\.sops\\\\.yaml$\\n    age: $ALICE,$BREAK_GLASS\\n' >> .sops.yaml\n"
        "printf x | arcan realm create platform --env lab --key A --stdin",
        ("ARR312", "ARR213"),
        ("ARR201", "ARR111", "ARR202"),
        good=True,
    ),
    PullRequest(
        "a value that was there before is written again with the key",
        _set("STRIPE_KEY", value="first") + "\n" + _GENERATE,
        ("ARR304",),
        ("ARR103", "ARR214"),
        good=True,
    ),
)

SLOPPY: Final = (
    PullRequest("the overlays were forgotten", _set("STRIPE_KEY"), ("ARR119",)),
    PullRequest("a merge took our side's MAC", _TWO_SIDES + _MERGED.format(side="ours"), ("ARR101",)),
    PullRequest("a merge took their side's MAC", _TWO_SIDES + _MERGED.format(side="theirs"), ("ARR101",)),
    PullRequest(
        "a conflict was committed",
        _TWO_SIDES + "git merge other > /dev/null || git commit -q -a -m m",
        ("ARR105", "ARR106"),
    ),
    PullRequest("a line was deleted", f"sed -i '/^JWT_KEY:/d' {_DOCUMENT}", ("ARR101", "ARR108", "ARR122")),
    PullRequest(
        "lines were sorted",
        f"(sed -n '1,/^sops:/p' {_DOCUMENT} | grep -v '^sops:' | sort -r; "
        f"sed -n '/^sops:/,$p' {_DOCUMENT}) > new && mv new {_DOCUMENT}",
        ("ARR101",),
    ),
    PullRequest(
        "a key was renamed by hand", _edit(_DOCUMENT, "^JWT_KEY:", "JWT_SECRET:"), ("ARR104", "ARR108")
    ),
    PullRequest(
        "lastmodified was touched",
        _edit(_DOCUMENT, "lastmodified: .*", 'lastmodified: "2026-01-01T00:00:00Z"'),
        ("ARR102",),
    ),
    PullRequest(
        "another rule was written into the document",
        f"sed -i 's#^\\( *\\)mac: .*#&\\n\\1mac_only_encrypted: true#' {_DOCUMENT}",
        ("ARR102",),
    ),
    PullRequest(
        "a value is the old one again",
        f"""sed -i "s|^STRIPE_KEY:.*|$(git show first:{_DOCUMENT} | grep '^STRIPE_KEY:')|" {_DOCUMENT}""",
        ("ARR103", "ARR101"),
    ),
    PullRequest(
        "a key was copied to another",
        f"sed -i 's#^JWT_KEY: .*#&\\n&#; ' {_DOCUMENT} && sed -i '0,/^JWT_KEY:/s//COPY:/' {_DOCUMENT}",
        ("ARR104",),
    ),
    PullRequest(
        "a document was copied to make an environment",
        f"cp {_DOCUMENT} realms/production/qa.sops.yaml",
        ("ARR215", "ARR118"),
    ),
    PullRequest(
        "an environment was renamed by hand",
        f"git mv {_DOCUMENT} realms/production/live.sops.yaml",
        ("ARR215", "ARR108"),
    ),
    PullRequest(
        "a key is removed in use", "arcan secret unset production STRIPE_KEY --env prod --yes", ("ARR108",)
    ),
    PullRequest(
        "the record of a removal was not committed",
        "arcan secret unset platform REGISTRY_USER --env dev --yes\nrm -r realms/platform/removed",
        ("ARR122",),
    ),
    PullRequest(
        "an app names a key that is not there",
        _edit("kustomize/apps/web.yaml", "JWT_KEY", "JWT_KYE"),
        ("ARR107",),
    ),
    PullRequest(
        "an app reads a key that its account may not",
        _edit("kustomize/apps/web.yaml", "JWT_KEY", "SEARCH_KEY"),
        ("ARR206", "ARR119"),
    ),
    PullRequest("an app's file was deleted", "git rm -q kustomize/apps/search.yaml", ("ARR109",)),
    PullRequest(
        "a namespace was renamed",
        _edit("kustomize/apps/search.yaml", "namespace: search", "namespace: find"),
        ("ARR109", "ARR207"),
    ),
    PullRequest("an overlay was taken out", "sed -i '/^  dr: /d' kustomize/arcan.yaml", ("ARR109",)),
    PullRequest(
        "a token was revoked in use", "arcan token revoke billing --realm production --yes", ("ARR108",)
    ),
    PullRequest("a cluster's file was deleted", "git rm -q clusters/eu.yaml", ("ARR108",)),
    PullRequest(
        "a value was pasted in clear",
        f"sed -i 's/^SMTP_HOST: .*/SMTP_HOST: mail.example.com/' {_DOCUMENT}",
        ("ARR113",),
    ),
    PullRequest(
        "a comment tells too much", f"sed -i '1i # was changed because of the leak' {_DOCUMENT}", ("ARR115",)
    ),
    PullRequest(
        "somebody left, and kept the data key",
        "sed -i '/# bob$/d' .sops.yaml\narcan realm updatekeys --all",
        ("ARR116",),
    ),
    PullRequest(
        "the rules changed, and no document did", "sed -i '/# bob$/d' .sops.yaml", ("ARR118",), ("ARR202",)
    ),
    PullRequest("the rules are broken", "printf 'creation_rules: [\\n' > .sops.yaml", ("ARR106",)),
    PullRequest("tokens.yaml is broken", "printf 'tokens: x\\n' >> realms/platform/tokens.yaml", ("ARR106",)),
    PullRequest(
        "generated files were edited",
        "sed -i 's/refreshInterval: .*/refreshInterval: 1m/' kustomize/overlays/prod/shop/apps/shop.yaml",
        ("ARR119",),
    ),
)

HOSTILE: Final = (
    PullRequest(
        "a recipient is added to all",
        r"sed -i 's/^\( *- \).* # break-glass$/&\n\1$MALLORY # alice/' .sops.yaml"
        "\narcan realm updatekeys --all",
        ("ARR201", "ARR202", "ARR213"),
    ),
    PullRequest(
        "a rule for all stands first",
        r"sed -i 's/^creation_rules:/&\n  - path_regex: .*\n    age: $MALLORY,$BREAK_GLASS/' .sops.yaml",
        ("ARR202", "ARR118"),
    ),
    PullRequest(
        "a second file of rules shadows the first",
        "sed 's/# alice$/# alice/' .sops.yaml > realms/.sops.yaml\n"
        r"sed -i 's/^\( *- \).* # break-glass$/&\n\1$MALLORY # x/' realms/.sops.yaml",
        ("ARR202", "ARR213"),
    ),
    PullRequest("the rules are deleted", "git rm -q .sops.yaml", ("ARR202", "ARR213")),
    PullRequest(
        "a token for everything", "arcan token create --realm production --name ci", ("ARR203", "ARR310")
    ),
    PullRequest(
        "a token's scope is widened",
        "sed -i '0,/keys:/s//keys_of_before:/' realms/production/tokens.yaml",
        ("ARR106",),
    ),
    PullRequest(
        "a token's scope is everything",
        "arcan token scope mailer --realm production --key '*' --env '*' --yes",
        ("ARR203",),
    ),
    PullRequest(
        "a token lives for ever",
        "arcan token scope mailer --realm production --expires never --yes",
        ("ARR203",),
    ),
    PullRequest(
        "a digest is replaced",
        f"sed -i '0,/sha256:/s/sha256:.*/sha256:{'a' * 64}/' realms/production/tokens.yaml",
        ("ARR203",),
    ),
    PullRequest(
        "an account of another namespace reads",
        "arcan account add eu/mallory/arcan-reader --realm production --env prod --key '*'",
        ("ARR204",),
    ),
    PullRequest("a cluster signs with another key", "cp clusters/lab.yaml clusters/eu.yaml", ("ARR205",)),
    PullRequest(
        "an app moves into another team's namespace",
        _edit("kustomize/apps/search.yaml", "namespace: search", "namespace: billing"),
        ("ARR207",),
    ),
    PullRequest(
        "a new app takes another team's secret",
        "sed 's/name: shop/name: evil/; s/namespace: shop/namespace: evil/' kustomize/apps/shop.yaml > kustomize/apps/evil.yaml",
        ("ARR206",),
    ),
    PullRequest(
        "an app takes all", _edit("kustomize/apps/billing.yaml", "keys: .*", "all: true"), ("ARR206",)
    ),
    PullRequest(
        "a Secret becomes a credential of another program",
        "printf '    labels: {jenkins.io/credentials-type: secretText}\\n' >> kustomize/apps/web.yaml",
        ("ARR207",),
    ),
    PullRequest(
        "dev gets production's values",
        _edit("kustomize/arcan.yaml", "environment: dev,", "environment: prod,"),
        ("ARR208",),
    ),
    PullRequest(
        "stores ask elsewhere",
        _edit("kustomize/arcan.yaml", "arcan.arcan.svc:9797", "arcan.example.net:9797"),
        ("ARR209",),
    ),
    PullRequest(
        "another store is declared",
        "sed -i 's#^stores:#&\\n  webhook:\\n    ours: {url: \"https://collect.example.net:443/x\"}#' kustomize/arcan.yaml",
        (),
    ),
    PullRequest(
        "another CA is trusted",
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out kustomize/ca.crt -days 9 -subj /CN=evil 2>/dev/null",
        ("ARR209",),
    ),
    PullRequest(
        "stores are for the whole cluster",
        _edit("kustomize/arcan.yaml", "scope: namespace", "scope: cluster"),
        ("ARR210",),
    ),
    PullRequest(
        "values may stand in clear",
        "printf 'allowUnencrypted: [\"*\"]\\n' >> realms/production/realm.yaml",
        ("ARR211",),
    ),
    PullRequest(
        "values may be empty", "printf 'allowEmpty: [\"*\"]\\n' >> realms/production/realm.yaml", ("ARR211",)
    ),
    PullRequest(
        "removals need no record",
        _edit("realms/production/realm.yaml", "^deletions: recorded", "deletions: unrecorded"),
        ("ARR211",),
    ),
    PullRequest(
        "a Secret is deleted with its key",
        "printf '    deletionPolicy: Delete\\n' >> kustomize/apps/web.yaml",
        ("ARR212",),
    ),
    PullRequest(
        "the checks check nothing",
        "printf 'on: [push]\\njobs: {}\\n' > .github/workflows/realms.yml",
        ("ARR213",),
    ),
    PullRequest(
        "an owner is replaced", _edit(".github/CODEOWNERS", "@example-org/payments", "@mallory"), ("ARR213",)
    ),
    PullRequest(
        "an owner is taken out by a line below",
        "printf '/realms/\\n' >> .github/CODEOWNERS",
        ("ARR213", "ARR112"),
    ),
    PullRequest("an old document comes back", f"git checkout -q first -- {_DOCUMENT}", ("ARR214",)),
    PullRequest(
        "production's document stands in dev", f"cp {_DOCUMENT} realms/production/dev.sops.yaml", ("ARR215",)
    ),
    PullRequest(
        "a manifest is slipped into an overlay",
        "printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: x}\\n' > kustomize/overlays/prod/shop/x.yaml",
        ("ARR117",),
    ),
    PullRequest(
        "a private key in a README",
        "printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\\nabc\\n' >> README.md",
        ("ARR114",),
    ),
    PullRequest(
        "a dotenv file with a value",
        "printf 'STRIPE_KEY=%s\\n' hunter2-canary-9f8a7b > .env",
        ("ARR114",),
    ),
    PullRequest(
        "a value in a README that was removed again",
        "printf 'DATABASE_URL=postgres://shop:%s@db.shop.svc/shop\\n' hunter2-canary-9f8a7b >> README.md\n"
        "git commit -q -a -m k\ngit checkout -q HEAD~1 -- README.md\ngit commit -q -m k",
        ("ARR114",),
    ),
    PullRequest("a realm is deleted", "git rm -q -r realms/platform", ("ARR108",), ("ARR211",)),
    PullRequest(
        "an app's file can be read no more",
        "printf 'nonsense: [' > kustomize/apps/billing.yaml",
        ("ARR106",),
        ("ARR109", "ARR312"),
    ),
    PullRequest(
        "the tokens of a realm are deleted", "rm realms/production/tokens.yaml", ("ARR108",), ("ARR107",)
    ),
    PullRequest(
        "an identity that was removed again",
        "printf 'AGE-SECRET-KEY-1%058d\\n' 0 > k\ngit add k\ngit commit -q -m k\ngit rm -q k\ngit commit -q -m k",
        ("ARR114",),
    ),
    PullRequest(
        "an identity in UTF-16", "printf 'AGE-SECRET-KEY-1%058d\\n' 0 | iconv -t UTF-16 > k.txt", ("ARR114",)
    ),
    PullRequest(
        "a Secret in Base64",
        "printf 'apiVersion: v1\\nkind: Secret\\nmetadata: {name: a}\\ndata:\\n  password: aHVudGVyMg==\\n' > s.yaml",
        ("ARR114",),
    ),
    PullRequest(
        "a document that somebody made up",
        "cp .sops.yaml ../rules && sed -i 's/x/x/' .sops.yaml\n"
        "git rm -q --cached realms/platform/dev.sops.yaml && rm realms/platform/dev.sops.yaml\n"
        "printf forged | arcan realm create platform --env dev --layout document --key GRAFANA_TOKEN --stdin",
        ("ARR216",),
    ),
)

_FILES: Final = "realms/platform/staging"
# of the environment in which each key has a file
KEY_FILES: Final = (
    PullRequest(
        "a file is set without an identity",
        _set("GRAFANA_TOKEN", "platform", "staging") + "\n" + _GENERATE,
        ("ARR304",),
        ("ARR101", "ARR216"),
        good=True,
    ),
    PullRequest(
        "a file is added",
        _set("NEW_KEY", "platform", "staging") + "\n" + _GENERATE,
        ("ARR301", "ARR306"),
        good=True,
    ),
    PullRequest(
        "a file is removed that no app uses",
        "arcan secret unset platform REGISTRY_USER --env staging --yes\n" + _GENERATE,
        ("ARR302",),
        good=True,
    ),
    PullRequest(
        "two branches change two files, and merge",
        _OTHER_BRANCH.format(
            theirs=_set("DNS_TOKEN", "platform", "staging"), ours=_set("GRAFANA_TOKEN", "platform", "staging")
        )
        + "git merge -q --no-edit other\n"
        + _GENERATE,
        ("ARR304",),
        good=True,
    ),
    PullRequest("a file is deleted", f"git rm -q {_FILES}/DNS_TOKEN.sops.yaml", ("ARR108", "ARR122")),
    PullRequest(
        "a file is copied to another key",
        f"cp {_FILES}/DNS_TOKEN.sops.yaml {_FILES}/GRAFANA_TOKEN.sops.yaml",
        ("ARR215",),
    ),
    PullRequest(
        "a file is renamed by hand",
        f"git mv {_FILES}/REGISTRY_USER.sops.yaml {_FILES}/REGISTRY_LOGIN.sops.yaml",
        ("ARR215",),
    ),
    PullRequest(
        "a file's time was touched",
        _edit(f"{_FILES}/DNS_TOKEN.sops.yaml", "lastmodified: .*", 'lastmodified: "2026-01-01T00:00:00Z"'),
        ("ARR102",),
    ),
)

ALL: Final = (*GOOD, *SLOPPY, *HOSTILE, *KEY_FILES)
