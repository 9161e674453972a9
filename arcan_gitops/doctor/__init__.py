"""Why a Kubernetes Secret is not what it should be.

- `collecting`: facts of a cluster, by few commands of kubectl (`many`), once.
- `probing`: what the network and the server say.
- `checks`: pure functions from `Facts` to findings; `check.examine` runs them all.
- `fixes`: commands that mend what was found.
- `reports`: a report as text and JSON; `job`: what tries from inside the cluster.
- `dialling` and `chain`: how far a connection comes, and which link of a server's certificates is wrong.
"""
