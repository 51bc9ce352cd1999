#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -eu

usage() {
    cat <<'EOF'
usage: ./autogen.sh [check | demo]

  ./autogen.sh          generate configure and the Makefile templates
  ./autogen.sh check    install missing packages, build, run all tests
  ./autogen.sh demo     install missing packages, build, show a sync end to end

check and demo build in build/, or in this directory if it is configured.
EOF
}

regenerate() {
    mkdir -p m4
    autoreconf --force --install --warnings=all,no-obsolete
}

# A second build directory beside a configured source tree does not work, so
# use the build that is there.
build() {
    etc/install-deps
    regenerate
    if [ ! -f config.status ]; then
        mkdir -p build
        cd build
    fi
    [ -f config.status ] || ../configure --enable-debug
    make -j"$jobs"
}

cd "$(dirname "$0")"
jobs=$(nproc)

case $#:${1-} in
0:) regenerate ;;
1:-h | 1:--help) usage ;;
1:check)
    build
    # one more than there are processors: some tests mostly wait
    make -j$((jobs + 1)) check
    ;;
1:demo)
    build
    make demo
    ;;
*)
    usage >&2
    exit 64
    ;;
esac
