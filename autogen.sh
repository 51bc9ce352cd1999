#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./autogen.sh          make configure and Makefile.in
# ./autogen.sh check    install what is missing, build, run all tests
# ./autogen.sh demo     install what is missing, build, show a sync end to end
set -eu
cd "$(dirname "$0")"

regenerate() {
    mkdir -p m4
    autoreconf --force --install --warnings=all,no-obsolete
}

build() {
    etc/install-deps
    regenerate
    mkdir -p build
    (cd build && { [ -f config.status ] || ../configure --enable-debug; } && make -j2)
}

case ${1-} in
'') regenerate ;;
check)
    build
    make -C build -j2 check
    ;;
demo)
    build
    make -C build demo
    ;;
*)
    echo "usage: ./autogen.sh [check | demo]" >&2
    exit 64
    ;;
esac
