#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
#
# tests/sqlite326.sh NPM FOLDER: builds the image's SQLite, 3.26.0, as FOLDER/libsqlite3.so.0. Its original source
# archive comes inside an npm package, the one place where the registries that we use still have it.
# Without JSON1 and FTS5: that the image has them is not established, so nothing may need them (base-image.md).
set -euo pipefail

npm=$1 folder=$2
readonly PACKAGE=sqlite3@4.0.6
readonly ARCHIVE=sqlite-autoconf-3260000
readonly SHA256=5daa6a3fb7d1e8c767cd59c4ded8da6e4b00c61d3b466d0685e35c4dd6d7bf5d

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$npm" pack --silent --pack-destination "$work" "$PACKAGE" >/dev/null
tar -xzf sqlite3-*.tgz "package/deps/$ARCHIVE.tar.gz"
echo "$SHA256  package/deps/$ARCHIVE.tar.gz" | sha256sum --check --quiet
tar -xzf "package/deps/$ARCHIVE.tar.gz" "$ARCHIVE/sqlite3.c" "$ARCHIVE/sqlite3.h"
# Python's sqlite3 module needs serialize() and column metadata. Red Hat builds with configure, which finds usleep();
# without it whoever meets a lock sleeps for whole seconds. The rest are SQLite's own defaults.
gcc -shared -O2 -fPIC -w -DSQLITE_ENABLE_DESERIALIZE -DSQLITE_ENABLE_COLUMN_METADATA -DHAVE_USLEEP=1 \
  -Wl,-soname,libsqlite3.so.0 -o libsqlite3.so.0 "$ARCHIVE/sqlite3.c" -lpthread -ldl
mkdir -p "$folder"
# Moved in one step, so that a build that was broken off leaves nothing that looks finished.
mv libsqlite3.so.0 "$folder/.new"
mv "$folder/.new" "$folder/libsqlite3.so.0"
