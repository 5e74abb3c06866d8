#!/usr/bin/env bash
# Builds or tries the console.
#
#   console.sh build   the console into console/dist, which the program embeds; only looks when it is there already
#   console.sh offer   the same when Node is there, else says what is missing and succeeds
#   console.sh test    its tests, in headless Chromium against target/debug/turnstone
#   console.sh bench   how long its screens take, with and without ten thousand instances
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'console: %s\n' "$*" >&2
  exit 1
}
source scripts/node-packages.sh

is_built() {
  [[ -f console/dist/index.html ]] &&
    [[ -z $(find console/src console/public console/index.html console/*.json console/vite.config.ts docs/openapi.json \
      -newer console/dist/index.html -not -name schema.d.ts -type f -print -quit) ]]
}

build() {
  is_built && return 0
  packages_ready console vite/package.json || install_node_packages console
  npm run --prefix console --silent build || return 1
}

case ${1:-} in
  build)
    use_new_node
    build || fail 'the build failed, see above'
    ;;
  offer)
    if is_built; then
      :
    elif ! node_is_new || ! command -v npm >/dev/null; then
      printf 'console: not built, because Node %s or newer with npm is not here; the rest works without it\n' "$NODE_MIN" >&2
    else
      printf 'console: building it (once, about a minute)\n' >&2
      build >&2 || printf 'console: the build failed, see above; going on without it\n' >&2
    fi
    ;;
  test)
    use_new_node
    packages_ready console vite/package.json || install_node_packages console
    exec npm run --prefix console --silent test
    ;;
  bench)
    use_new_node
    packages_ready console vite/package.json || install_node_packages console
    exec npm run --prefix console --silent bench
    ;;
  *)
    fail 'say build, offer, test or bench'
    ;;
esac
