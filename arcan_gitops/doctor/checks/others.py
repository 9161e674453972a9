"""Vault, Infisical, AWS: their credentials' Secrets, ESO's own word, and what to run there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote
from typing import Any, Final

from arcan_gitops.doctor import providers
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import External, Facts, StoreRead, Unread, condition, dig
from arcan_gitops.doctor.findings import Found, NotDone, Place, error
from arcan_gitops.doctor.fixes import bootstrapped
from arcan_gitops.eso import KubernetesSecret

_LOGIN: Final = re.compile(
    r"\b401\b|unauthorized|invalid (?:client|token|credential)|UnrecognizedClient|InvalidClientTokenId",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(r"\b403\b|permission denied|forbidden|AccessDenied|not authorized", re.IGNORECASE)
_ABSENT: Final = re.compile(
    r"\b404\b|not found|does ?n[o']t exist|ResourceNotFound|no secret|cannot find", re.IGNORECASE
)


def credential(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the Secrets that a store of another provider names are there, with their keys."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if not users or store.provider == "webhook":
            continue
        for place in providers.credentials(store, users):
            found = facts.secrets.get((place.namespace, place.secret))
            fix = bootstrapped(facts)
            if isinstance(found, Unread):
                yield found.not_done(f"the credential in {place}")
            elif found is None:
                yield error(str(place), f"is not there: {store.id} logs in with it", fix, of=users)
            elif isinstance(found, KubernetesSecret) and not found.data.get(place.key):
                keys = ", ".join(sorted(found.data)) or "none"
                what = f"has nothing in its key {place.key}, which {store.id} asks for; it has: {keys}"
                yield error(str(place), what, fix, of=users)


def _failing(facts: Facts, provider: str) -> Iterator[tuple[StoreRead, list[External], str]]:
    """(store, its ExternalSecrets that fail, all that ESO says) of one provider, where something fails."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if store.provider != provider or not users:
            continue
        failing = [one for place in sorted(users) if (one := facts.by_place[place]).failing]
        ready = condition(store.object, "Ready")
        if not failing and (not ready or ready.get("status") == "True"):
            continue
        said = [str(ready.get("message", "")), *(_said(one, facts) for one in failing)]
        yield store, failing, " ".join(said)


def _said(external: External, facts: Facts) -> str:
    events = facts.events.get(external.place[0])
    texts = [str(external.ready.get("message", ""))]
    for one in events if isinstance(events, tuple) else ():
        if dig(one, "involvedObject", "name") == external.place[1]:
            texts.append(str(one.get("message", "")))
    return " ".join(texts)


def _of(store: StoreRead, failing: list[External], facts: Facts) -> frozenset[Place]:
    return frozenset(one.place for one in failing) or facts.users_of(store.id)


def _refs(failing: list[External]) -> Iterator[tuple[str, str]]:
    """(key, property) of what is read."""
    for external in failing:
        spec = external.object.get("spec", {})
        for entry in spec.get("data") or ():
            ref = entry.get("remoteRef") or {}
            yield str(ref.get("key", "")), str(ref.get("property", ""))
        for entry in spec.get("dataFrom") or ():
            if (key := dig(entry, "extract", "key")) is not None:
                yield str(key), ""


def vault(facts: Facts) -> Iterator[Found | NotDone]:
    """A Vault store that fails, with what to run there."""
    for store, failing, said in _failing(facts, "vault"):
        section: Any = dig(store.object, "spec", "provider", "vault") or {}
        server, mount = str(section.get("server", "")), str(section.get("path") or "secret")
        address = f"VAULT_ADDR={quote(server)}"
        commands = [f"{address} vault status"]
        what = "Vault does not answer, or is sealed"
        if _DENIED.search(said):
            what = "Vault refuses (403): the token has ended, or its policy does not let it read the path"
            commands.append(f"{address} vault token lookup")
        elif _ABSENT.search(said):
            what = "Vault has nothing at this path, or no such property in it"
        elif _LOGIN.search(said):
            what = "Vault does not take the credential (401)"
        for key, name in dict.fromkeys(_refs(failing)):
            path = f"{mount}/data/{key}" if section.get("version", "v2") == "v2" else f"{mount}/{key}"
            commands.append(f"{address} vault token capabilities {quote(path)}")
            keys = ".data.data | keys" if section.get("version", "v2") == "v2" else ".data | keys"
            get = f"{address} vault kv get -mount={quote(mount)} -format=json {quote(key)} | jq '{keys}'"
            commands.append(get + (f"   # {name} must be among them" if name else ""))
        yield error(str(store.id), what, *commands, of=_of(store, failing, facts))


def infisical(facts: Facts) -> Iterator[Found | NotDone]:
    """An Infisical store that fails, with what to do there."""
    for store, failing, said in _failing(facts, "infisical"):
        section: Any = dig(store.object, "spec", "provider", "infisical") or {}
        scope = section.get("secretsScope") or {}
        project, environment = str(scope.get("projectSlug", "")), str(scope.get("environmentSlug", ""))
        host = str(section.get("hostAPI") or "https://app.infisical.com")
        try_out = (
            f"arcan import infisical production --project PROJECT_ID --env {quote(environment)} --dry-run"
        )
        what, extra = "Infisical cannot be reached, or refuses", ""
        if _LOGIN.search(said):
            what = (
                "Infisical does not take clientId and clientSecret (401): change the Secret that holds them"
            )
            extra = "terraform apply   # with the new clientId and clientSecret in terraform.tfvars"
        elif _DENIED.search(said):
            what = (
                f"the machine identity is not in project {project!r} (403): Project, Access Control, Machine "
                "Identities, Add"
            )
        elif _ABSENT.search(said):
            what = (
                f"Infisical has no project {project!r}, environment {environment!r} or key (404): "
                "the slugs are in Project Settings"
            )
        reach = f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {quote(host)}/api/status"
        yield error(
            str(store.id), what, *filter(None, (extra, reach, try_out)), of=_of(store, failing, facts)
        )


def aws(facts: Facts) -> Iterator[Found | NotDone]:
    """An AWS store that fails, with what to run there."""
    for store, failing, said in _failing(facts, "aws"):
        section: Any = dig(store.object, "spec", "provider", "aws") or {}
        region, role = str(section.get("region", "")), str(section.get("role", ""))
        service = section.get("service", "SecretsManager")
        action = "secretsmanager:GetSecretValue" if service == "SecretsManager" else "ssm:GetParameter"
        commands = ["aws sts get-caller-identity"]
        what = "AWS cannot be reached, or refuses"
        if _DENIED.search(said):
            what = "AWS refuses: the role, or the service account that takes it, may not read this"
        elif _LOGIN.search(said):
            what = "AWS does not take the credential"
        elif _ABSENT.search(said):
            what = "AWS has no secret of this name in this region"
        if role:
            simulate = f"aws iam simulate-principal-policy --policy-source-arn {quote(role)}"
            commands.append(f"{simulate} --action-names {action}")
        for key, _ in dict.fromkeys(_refs(failing)):
            describe = "secretsmanager describe-secret --secret-id"
            if service != "SecretsManager":
                describe = "ssm describe-parameters --parameter-filters Key=Name,Values="
                commands.append(f"aws {describe}{quote(key)} --region {quote(region)}")
            else:
                commands.append(f"aws {describe} {quote(key)} --region {quote(region)}")
        yield error(str(store.id), what, *commands, of=_of(store, failing, facts))


CHECKS = (
    Check(
        "provider-credential", "the Secrets that stores of other providers name", "to read them", credential
    ),
    Check("vault", "stores of Vault that fail", "to list stores; events", vault),
    Check("infisical", "stores of Infisical that fail", "to list stores; events", infisical),
    Check("aws", "stores of AWS that fail", "to list stores; events", aws),
)
