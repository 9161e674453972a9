"""What the tests write: stores and ExternalSecrets with one thing changed."""

from __future__ import annotations

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Finding
from arcan_gitops.lint.reading import Source

URL = "https://secrets.example.com:9797/v1/{{ .remoteRef.key }}"


def store(
    *,
    kind: str = "SecretStore",
    name: str = "api",
    namespace: str = "",
    url: str = URL,
    path: str = '$["value"]',
    authorization: str = "Bearer {{ .auth.token | trim }}",
    spec: str = "",
    webhook: str = "",
    ref: str = "{name: api-token}",
    timeout: str = "10s",
) -> str:
    """A webhook store in which lint finds nothing, before something is changed."""
    return f"""\
---
apiVersion: external-secrets.io/v1
kind: {kind}
metadata: {{name: {name}{f", namespace: {namespace}" if namespace else ""}}}
spec:
{spec}
  provider:
    webhook:
      url: '{url}'
      timeout: {timeout}
      headers:
        Authorization: '{authorization}'
      secrets:
      - name: auth
        secretRef: {ref}
{webhook}
      result:
        jsonPath: '{path}'
"""


def external_secret(
    *,
    name: str = "shop",
    namespace: str = "",
    ref: str = "{name: api}",
    keys: tuple[str, ...] = ("A",),
    spec: str = "",
    content: str = "",
) -> str:
    """An ExternalSecret with an entry of `data` for each key, or with `content` in their place."""
    data = "".join(f"  - secretKey: k{i}\n    remoteRef: {{key: '{key}'}}\n" for i, key in enumerate(keys))
    return f"""\
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: {name}{f", namespace: {namespace}" if namespace else ""}}}
spec:
  secretStoreRef: {ref}
{spec}
{content or f"  data:{chr(10)}{data}"}
"""


def findings(*texts: str, eso: str = "v2.9.0", **files: str) -> tuple[Finding, ...]:
    """Of one file of all texts, and of each of `files` by its name."""
    sources = [Source("a.yaml", "".join(texts).encode())] if texts else []
    sources += [Source(name, text.encode()) for name, text in files.items()]
    return lint(sources, EsoVersion.parse(eso)).findings


def rules(*texts: str, eso: str = "v2.9.0", **files: str) -> list[str]:
    """The ids of the rules that found something."""
    return [finding.rule for finding in findings(*texts, eso=eso, **files)]
