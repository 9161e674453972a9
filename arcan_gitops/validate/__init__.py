"""Kustomize builds the overlays; kubeconform, or the embedded validator, judges every manifest.

From the bottom up:

- `results`: one `Result` a manifest, as data; `reports/` renders them, one format a file.
- `derive`, `sharing`: a CRD or an OpenAPI definition -> a JSON Schema that both engines read alike.
- `schemaset`: which kinds are known for one ESO version, and what to say of a kind that is not.
- `sources`, `kustomize`: what lies under a path, and its bytes. `kustomize_failure` says why there are none.
- `printed`: what a program printed, without the values that it quotes.
- `manifests`: bytes -> manifests; what no YAML reader of Kubernetes should have to guess is refused here,
  before either engine runs, so that both agree on it.
- `engine`, `kubeconform`, `embedded`, `explain`: manifests -> results. `explain` words every message, because
  the messages of schema validators quote what they refuse, and a manifest may be a Secret.
- `check`: all of it, once for each ESO version.
"""
