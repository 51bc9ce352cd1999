#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./autogen.sh          make configure and Makefile.in
# ./autogen.sh check    install what is missing, build, run all tests
# ./autogen.sh demo     install what is missing, build, show a sync end to end
set -eu
cd "$(dirname "$0")"

jobs=$(nproc)

regenerate() {
    mkdir -p m4
    autoreconf --force --install --warnings=all,no-obsolete
}

build() {
    etc/install-deps
    regenerate
    mkdir -p build
    (cd build && { [ -f config.status ] || ../configure --enable-debug; } && make -j"$jobs")
}

case ${1-} in
'') regenerate ;;
check)
    build
    # one more: some wait for something else than the processor
    make -C build -j$((jobs + 1)) check
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
