#!/usr/bin/env bash
# Brings what the tests need and the compiler does not: a C compiler, Node 18 or
# newer with npm, and the Node packages of `tests/json-server`, of `tests/moment`, of
# `tests/oidc-provider`, of `tests/senders` and of the hooks' libraries (which are
# embedded in the program when it is built after this); Python 3.10 or newer with
# its `venv`, and the Python packages of `tests/schemathesis`, in a folder of their
# own; Chromium with a font, and for the console Node 20.19 or newer (from the npm
# registry where the machine's is older) with the packages of `console`.
#
# Safe to run again: with everything in place it only looks. Installs Debian
# packages where it may (as root, or with a sudo that asks nothing); otherwise it
# says what to install and fails. Java is not needed here: only `make test-java`
# uses it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

NODE_MAJOR_MIN=18
JSON_SERVER=tests/json-server
OIDC_PROVIDER=tests/oidc-provider
SENDERS=tests/senders
MOMENT=tests/moment
HOOK_LIBRARIES=crates/engine/libraries
SCHEMATHESIS=tests/schemathesis
CONSOLE=console

fail() {
  printf 'setup-test: %s\n' "$*" >&2
  exit 1
}

source scripts/node-packages.sh

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
  python_ready || printf 'python3\npython3-venv\n'
  command -v chromium >/dev/null || printf 'chromium\nfonts-dejavu-core\n'
}

# True when Python is new enough and can make environments with pip in them (Debian ships that apart).
python_ready() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
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

# As for the Node packages: our copy of the requirements is written when pip has finished.
python_packages_ready() {
  [[ -x $SCHEMATHESIS/.venv/bin/schemathesis ]] &&
    cmp -s "$SCHEMATHESIS/requirements.txt" "$SCHEMATHESIS/.venv/turnstone-requirements.txt"
}

install_python_packages() {
  rm -rf "$SCHEMATHESIS/.venv"
  python3 -m venv "$SCHEMATHESIS/.venv" || fail "cannot make a Python environment; install python3-venv"
  try "$SCHEMATHESIS/.venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    --requirement "$SCHEMATHESIS/requirements.txt" ||
    fail "cannot install the Python packages of $SCHEMATHESIS; repeat with: bash scripts/setup-test.sh"
  cp "$SCHEMATHESIS/requirements.txt" "$SCHEMATHESIS/.venv/turnstone-requirements.txt"
}

mapfile -t packages < <(missing_packages)
if ((${#packages[@]} > 0)); then
  printf 'setup-test: installing %s\n' "${packages[*]}"
  install_packages "${packages[@]}"
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]} == 0)) ||
    fail "still missing after installation: ${packages[*]} (Node must be $NODE_MAJOR_MIN or newer, Python 3.10)"
fi

packages_ready "$JSON_SERVER" .bin/json-server || install_node_packages "$JSON_SERVER"
packages_ready "$OIDC_PROVIDER" oidc-provider/package.json || install_node_packages "$OIDC_PROVIDER"
packages_ready "$SENDERS" standardwebhooks/package.json || install_node_packages "$SENDERS"
packages_ready "$MOMENT" moment-timezone/package.json || install_node_packages "$MOMENT"
packages_ready "$HOOK_LIBRARIES" lodash/lodash.min.js || install_node_packages "$HOOK_LIBRARIES"
python_packages_ready || install_python_packages
use_new_node
packages_ready "$CONSOLE" vite/package.json || install_node_packages "$CONSOLE"
printf 'setup-test: ready (node %s, %s, %s)\n' "$(node --version)" "$(python3 --version)" \
  "$(cc --version | head -n 1)"
