set -euo pipefail
made=" "

# replaces NAMESPACE/NAME: whether it is to be replaced, and was not yet
replaces() {
  case "$made" in *" $1 "*) return 1 ;; esac
  case " ${REPLACE:-} " in *" all "* | *" $1 "*) return 0 ;; esac
  return 1
}

# lacks KIND NAMESPACE NAME KEY...: sets $lacking to yes where the object is not there, or lacks a key
lacks() {
  local keys key
  lacking=yes
  if replaces "$2/$3"; then return 0; fi
  keys=$(kubectl get "$1" "$3" --namespace="$2" --ignore-not-found \
    --output='go-template={{range $key, $value := .data}}{{$key}} {{end}}')
  for key in "${@:4}"; do
    case " $keys" in *" $key "*) ;; *) return 0 ;; esac
  done
  lacking=
}

# held KEY NAMESPACE/NAME...: sets $value to what the first of the Secrets has under the key, or to nothing
held() {
  local place
  value=
  for place in "${@:2}"; do
    if replaces "$place"; then continue; fi
    value=$(kubectl get secret "${place#*/}" --namespace="${place%/*}" --ignore-not-found \
      --output="go-template={{range \$key, \$value := .data}}{{if eq \$key \"$1\"}}{{\$value | base64decode}}{{end}}{{end}}")
    if [ -n "$value" ]; then return 0; fi
  done
}

# take FILE WHAT: sets $value to the content of the file below $VALUES
take() {
  value=
  if [ -n "${VALUES:-}" ] && [ -e "$VALUES/$1" ]; then
    value=$(cat -- "$VALUES/$1")
    case "$1 $(ls -Lld -- "$VALUES/$1")" in
      *.crt\ * | *.pem\ *) ;; # certificates are for everybody
      *\ -??????r*) echo "warning: $VALUES/$1: everybody on this machine can read it: chmod 600 $VALUES/$1" >&2 ;;
    esac
  fi
  if [ -z "$value" ]; then
    echo "missing: $2: set VALUES to a folder, and put it into $1 there" >&2
    exit 1
  fi
}

# ask FILE WHAT [COMMAND]: the same, or else a line of standard input, which a terminal does not show;
# COMMAND makes another one
ask() {
  if [ -n "${VALUES:-}" ] && [ -e "$VALUES/$1" ]; then
    take "$1" "$2"
    return 0
  fi
  IFS= read -r -s -p "$2: " value || true
  if [ -t 0 ]; then echo >&2; fi
  if [ -z "$value" ]; then
    echo "missing: $2: type it, or set VALUES to a folder, and put it into $1 there${3:+; if it is lost: $3}" >&2
    exit 1
  fi
}

# mint KEY REALM TOKEN FILE WHAT SCOPE NAMESPACE/NAME...: sets $value to a token for all these Secrets, none of
# which has one that is to stay; SCOPE has the options that narrow it. It is made when the first of them has been, empty: what keeps a Secret out keeps the
# token from being made; and where the empty one is found later, a run made the token and could not hand it over.
mint() {
  local listed realm token recorded=
  listed=$(arcan token list --realm="$2")
  while read -r realm token _; do
    if [ "$realm/$token" = "$2/$3" ]; then recorded=yes; fi
  done <<<"$listed"
  if [ -n "$recorded" ]; then
    regain "$@"
    return 0
  fi
  kubectl create secret generic "${7#*/}" --namespace="${7%/*}" --dry-run=client --output=yaml |
    apply arcan-bootstrap-begin
  # shellcheck disable=SC2086 # SCOPE is several words
  value=$(arcan token create --realm="$2" --name="$3" --policy=read-only $6)
}

# regain, with the arguments of mint: the same for a token that is recorded. Only one that was lost on its way
# is rotated; any other is in use somewhere, and its text is asked for.
regain() {
  local empty
  if [ -z "${VALUES:-}" ] || ! [ -e "$VALUES/$4" ]; then
    empty=$(kubectl get secret "${7#*/}" --namespace="${7%/*}" --ignore-not-found \
      --output='go-template={{if not .data}}empty{{end}}')
    REPLACE='' held "$1" "${@:7}"
    if [ -n "$empty" ] && [ -z "$value" ]; then
      echo "$5 is recorded already, and was lost on its way into the cluster: it is replaced" >&2
      value=$(arcan token rotate "$3" --realm="$2")
      return 0
    fi
  fi
  ask "$4" "$5" "arcan token rotate $3 --realm=$2"
}

# namespace NAME: makes it where it is not there
namespace() {
  local found
  found=$(kubectl get namespace "$1" --ignore-not-found --output=name)
  if [ -z "$found" ]; then kubectl create namespace "$1"; fi
}

# wake KIND ANNOTATION [--namespace=NAME]: ESO looks again at what waited, and not after a back-off of minutes
wake() {
  kubectl annotate "$1" --selector=app.kubernetes.io/managed-by=arcan --overwrite "$2=$(date +%s)" "${@:3}" ||
    echo "ESO is not told: once it and the overlay are there, run arcan sync --all --run" >&2
}

# apply [MANAGER]: server-side, so that no annotation keeps a copy of a value
apply() {
  kubectl apply --server-side --force-conflicts --field-manager="${1:-arcan-bootstrap}" --filename=-
}
