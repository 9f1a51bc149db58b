#!/bin/sh
# Writes sw.js into the folder that Trunk has just filled: the list of all its files, and a version that changes when any
# of them does. Runs as Trunk's post-build hook; POSIX sh and cksum only.
set -eu
cd "${TRUNK_STAGING_DIR:?run by Trunk as a post-build hook}"
files=$(find . -type f ! -name sw.js ! -name '.*' | LC_ALL=C sort)
version=$(for file in $files; do cksum "$file"; done | cksum | cut -d ' ' -f 1)
list=$(for file in $files; do printf '"%s",' "$file"; done)
sed -e "s|@VERSION@|$version|" -e "s|\"@FILES@\"|${list%,}|" "${TRUNK_SOURCE_DIR:?}/web/offline/sw.js" > sw.js
