"""Hand-written manifests, checked for what a schema cannot see: `arcan lint manifests`.

From the bottom up:

- `nodes`: a YAML document as a tree that knows its lines; `reading`: files, folders and streams -> documents.
- `objects`: the views that rules need (store, ExternalSecret, Secret); `manifests`: all of them, and which
  store an ExternalSecret means.
- `rules/`: one module a subject, each with its `RULES`; a new rule is an entry there and a page in docs/lint.
- `ignores`: the comments that switch a rule off; `check`: all of it; `reports/`: one format a file.

Nothing here needs a cluster, a network or a key, and no message quotes a value: of a header, of `data`, of a
URL. Names of objects, fields and keys are quoted.
"""
