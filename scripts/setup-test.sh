#!/usr/bin/env bash
# Brings what the tests need and the compiler does not: a C compiler, Node 18 or
# newer with npm, and the Node packages of `tests/json-server`.
#
# Safe to run again: with everything in place it only looks. Installs Debian
# packages where it may (as root, or with a sudo that asks nothing); otherwise it
# says what to install and fails. Java is not needed here: only `make test-java`
# uses it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

NODE_MAJOR_MIN=18
TRIES_MAX=3
PAUSE_SECONDS=5
JSON_SERVER=tests/json-server

fail() {
  printf 'setup-test: %s\n' "$*" >&2
  exit 1
}

# Runs a command until it succeeds: mirrors and registries are sometimes busy.
try() {
  local attempt
  for ((attempt = 1; attempt <= TRIES_MAX; attempt++)); do
    "$@" </dev/null && return 0
    if ((attempt < TRIES_MAX)); then
      printf 'setup-test: `%s` failed (try %d of %d), trying again\n' "$*" "$attempt" "$TRIES_MAX" >&2
      sleep $((PAUSE_SECONDS * attempt))
    fi
  done
  return 1
}

# The installed Node's major version, or 0 when there is none.
node_major() {
  local version
  version=$(node --version 2>/dev/null) || version=v0
  version=${version#v}
  printf '%s' "${version%%.*}"
}

# Debian packages that are missing, one per line.
missing_packages() {
  command -v cc >/dev/null || printf 'gcc\nlibc6-dev\n'
  (($(node_major) >= NODE_MAJOR_MIN)) || printf 'nodejs\n'
  command -v npm >/dev/null || printf 'npm\n'
}

install_packages() {
  local as_root=()
  if (($(id -u) != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      fail "please install: $* (this user may not; as root: apt-get install $*)"
    fi
  fi
  command -v apt-get >/dev/null || fail "please install: $* (there is no apt-get here to do it)"
  try "${as_root[@]}" apt-get update -qq || fail "cannot read the package lists (apt-get update); needed: $*"
  try "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" ||
    fail "cannot install: $* (apt-get install says why, above)"
}

# True when the packages on disk are those of the lock file. Our copy of the lock is
# written after npm has finished, so a half-finished installation does not count.
json_server_ready() {
  local installed=$JSON_SERVER/node_modules/.turnstone-lock
  [[ -x $JSON_SERVER/node_modules/.bin/json-server ]] && cmp -s "$JSON_SERVER/package-lock.json" "$installed"
}

install_json_server() {
  try npm ci --prefix "$JSON_SERVER" --no-audit --no-fund --loglevel=error ||
    fail "cannot install the Node packages of $JSON_SERVER; repeat with: npm ci --prefix $JSON_SERVER"
  cp "$JSON_SERVER/package-lock.json" "$JSON_SERVER/node_modules/.turnstone-lock"
}

mapfile -t packages < <(missing_packages)
if ((${#packages[@]} > 0)); then
  printf 'setup-test: installing %s\n' "${packages[*]}"
  install_packages "${packages[@]}"
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]} == 0)) ||
    fail "still missing after installation: ${packages[*]} (Node must be $NODE_MAJOR_MIN or newer)"
fi

json_server_ready || install_json_server
printf 'setup-test: ready (node %s, %s)\n' "$(node --version)" "$(cc --version | head -n 1)"
