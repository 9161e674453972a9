"""Terraform, for the provider hashicorp/kubernetes: namespaces, a variable for each value, the objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from arcan_gitops.bootstrap.objects import Authority, Secret, Value
from arcan_gitops.bootstrap.outputs.texts import certificate_note, comments, made_by, title
from arcan_gitops.bootstrap.requirements import Requirements
from arcan_gitops.names import Namespace
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_NAMESPACES: Final = "arcan_namespaces"


def as_terraform(needed: Requirements, context: str | None) -> str:
    """The text of one .tf file, laid out as `terraform fmt` does."""
    variables = _variables(needed)
    public = {_authority_value(authority) for authority in needed.authorities}
    taken: set[str] = set()
    blocks = [
        comments(_head(needed, context)),
        *_namespaces(needed.namespaces),
        *(_variable(name, value, sensitive=value not in public) for value, name in variables.items()),
        *(_secret(secret, variables, taken) for secret in needed.secrets),
        *(_config_map(each, variables, taken) for each in needed.authorities),
    ]
    return "\n".join(blocks)


def _head(needed: Requirements, context: str | None) -> Iterator[str]:
    yield from title(needed, "terraform")
    yield "The values come as variables (TF_VAR_...), and end up in Terraform's state: keep that as secret as"
    yield "the values are."
    if needed.namespaces:
        yield f"Leave out of {_NAMESPACES} what is there already: Terraform refuses to make it again."
    if context is not None:
        yield f"The provider's config_context is {context}."
    yield from certificate_note(needed)
    for note in needed.notes:
        yield f"{note} It is not among these."


def _namespaces(names: Sequence[Namespace]) -> Iterator[str]:
    """A variable, for which of them are there is not known here; labels are for others to set."""
    if not names:
        return
    yield "\n".join(
        [
            f'variable "{_NAMESPACES}" {{',
            '  description = "the namespaces to make"',
            "  type        = set(string)",
            "  default = [",
            *(f"    {_string(name)}," for name in names),
            "  ]",
            "}",
            "",
        ]
    )
    yield "\n".join(
        [
            f'resource "kubernetes_namespace_v1" "{_NAMESPACES}" {{',
            f"  for_each = var.{_NAMESPACES}",
            "",
            "  metadata {",
            "    name = each.value",
            "  }",
            "",
            "  lifecycle {",
            "    ignore_changes = [metadata[0].annotations, metadata[0].labels]",
            "  }",
            "}",
            "",
        ]
    )


def _variables(needed: Requirements) -> Mapping[Value, str]:
    """A name for each value; a token that several namespaces need is one."""
    names: dict[Value, str] = {}
    taken = {_NAMESPACES}
    for secret in needed.secrets:
        for key, value in secret.values.items():
            if value not in names:
                parts = (
                    ("arcan_token", value.token.realm, value.token.token)
                    if value.token is not None
                    else (secret.namespace, secret.name, key)
                )
                names[value] = _unique("_".join(parts), taken)
    for authority in needed.authorities:
        value = _authority_value(authority)
        if value not in names:
            names[value] = _unique("arcan_ca" if value.file == "tls/ca.crt" else f"ca_{value.file}", taken)
    return names


def _authority_value(authority: Authority) -> Value:
    return authority.value or Value("tls/ca.crt", "the CA of the server's certificate (PEM)", from_file=True)


def _unique(text: str, taken: set[str]) -> str:
    """An identifier: other characters become '_', and one that is taken gets a number."""
    base = re.sub(r"[^A-Za-z0-9_]", "_", text)
    base = base if base[0].isalpha() else f"_{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def _variable(name: str, value: Value, *, sensitive: bool) -> str:
    made = "" if value.token is None else f"; {made_by(value)}"
    lines = [
        f'variable "{name}" {{',
        f"  description = {_string(value.what + made)}",
        "  type        = string",
    ]
    if sensitive:
        lines.append("  sensitive   = true")
    return "\n".join([*lines, "}", ""])


def _secret(secret: Secret, variables: Mapping[Value, str], taken: set[str]) -> str:
    data = {str(key): variables[value] for key, value in secret.values.items()}
    labels = {SECRET_LABEL_NAME: SECRET_LABEL_VALUE} if secret.labelled else {}
    return _resource("kubernetes_secret_v1", secret.namespace, secret.name, labels, data, taken)


def _config_map(authority: Authority, variables: Mapping[Value, str], taken: set[str]) -> str:
    data = {str(authority.key): variables[_authority_value(authority)]}
    return _resource("kubernetes_config_map_v1", authority.namespace, authority.name, {}, data, taken)


def _resource(
    kind: str, namespace: str, name: str, labels: Mapping[str, str], data: Mapping[str, str], taken: set[str]
) -> str:
    identifier = _unique(f"{namespace}_{name}", taken)
    lines = [f'resource "{kind}" "{identifier}" {{', "  metadata {"]
    lines += [f"    name      = {_string(name)}", f"    namespace = {_string(namespace)}"]
    if labels:
        lines += [
            "    labels = {",
            *(f"      {_string(k)} = {_string(v)}" for k, v in labels.items()),
            "    }",
        ]
    lines += ["  }", "", "  data = {"]
    width = max(len(_string(key)) for key in data)
    lines += [f"    {_string(key):<{width}} = var.{variable}" for key, variable in data.items()]
    return "\n".join([*lines, "  }", "", f"  depends_on = [kubernetes_namespace_v1.{_NAMESPACES}]", "}", ""])


def _string(text: str) -> str:
    """A quoted string; `${` and `%{` start templates (HCL native syntax, template literals)."""
    return json.dumps(str(text), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
