set -euo pipefail
umask 077
if [ -z "${VALUES:-}" ]; then
  echo "set VALUES to a folder that no repository holds, such as VALUES=/dev/shm/rotated" >&2
  exit 1
fi
new= # whether this run has rotated something

# context VARIABLE OVERLAY: the variable has to name a context, also where it is the current one
context() {
  if [ -z "${!1:-}" ]; then
    echo "set $1 to the kubectl context of overlay $2; they are in: kubectl config get-contexts" >&2
    exit 1
  fi
}

# rotate REALM TOKEN ID OVERLAP: records a new token, unless a run before this one did. By its id, so that what
# was handed over is not rotated once more.
rotate() {
  if [ -e "$VALUES/tokens/$1/$2" ]; then return 0; fi
  arcan token rotate "$3" --realm="$1" --overlap="$4" --output-file="$VALUES/tokens/$1/$2"
  new=yes
}

# merged: goes on only where nothing was rotated just now
merged() {
  if [ -z "$new" ]; then return 0; fi
  echo "next: commit the tokens.yaml files, merge, and wait until the servers have read them;" >&2
  echo "then run this again, with VALUES=$VALUES: it puts the new tokens into the Secrets" >&2
  exit 0
}

# put REALM TOKEN CONTEXT NAMESPACE SECRET KEY: server-side, so that no annotation keeps a copy of the token
put() {
  local to=()
  if [ -n "$3" ]; then to=(--context="$3"); fi
  kubectl create secret generic "$5" --namespace="$4" --from-file="$6"=<(tr -d '\n' <"$VALUES/tokens/$1/$2") \
    --dry-run=client --output=yaml |
    kubectl "${to[@]}" apply --server-side --force-conflicts --field-manager=arcan-bootstrap --filename=-
  kubectl "${to[@]}" label secret "$5" --namespace="$4" --overwrite external-secrets.io/type=webhook
}

# done_with REALM TOKEN: every Secret has it
done_with() {
  rm -- "$VALUES/tokens/$1/$2"
}
