#!/bin/bash
# tests/platform/bare_debian.sh - SPDX-License-Identifier: Apache-2.0
#
# Prove the two commands of the README on a Debian that has nothing but its
# base system: `./autogen.sh demo` and `./autogen.sh check`, in a clone of this
# checkout. What is not committed is not tested.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: bare_debian.sh [--results DIR] [--then COMMAND] RELEASE USER

RELEASE is bookworm or trixie. USER is root, or user: a person without sudo,
who must be told what to run as root; the script then runs exactly that.

  --results DIR    copy the logs and results of the tests to DIR
  --then COMMAND   afterwards run this shell command as root in the clone

It needs root, debootstrap, 4 GiB of memory and a Debian mirror: that of
$DEBIAN_MIRROR, or of this machine. Everything happens in memory and in
namespaces of its own; nothing is left behind.
EOF
}

fail() {
    echo "bare_debian.sh: $*" >&2
    exit 1
}

# The mirror that apt uses on this machine; nothing if it has none.
find_mirror() {
    # shellcheck disable=SC2016 # a format of apt, not of the shell
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' |
        grep '/debian/*$' | head -n 1
}

# Make the base system in $root, with the settings of this machine's apt
# (proxy, certificates), but none of its packages.
bootstrap() {
    local -a command=(debootstrap --variant=minbase "$release" "$root")
    [ -z "$mirror" ] || command+=("$mirror")
    "${command[@]}" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log"
        fail "debootstrap failed"
    }
    apt-config dump Acquire 2>/dev/null | grep -v '^Acquire::IndexTargets' \
        >"$root/etc/apt/apt.conf.d/00host" || true
    # nobody is there to answer
    echo 'APT::Get::Assume-Yes "true";' >>"$root/etc/apt/apt.conf.d/00host"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
}

inside() {
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive CI="${CI-}" \
        chroot "$root" "$@"
}

in_clone() {
    # shellcheck disable=SC2016 # the inner shell expands it
    if [ "$who" = root ]; then
        inside sh -c 'cd /odk-sync && exec "$@"' sh "$@"
    else
        inside runuser -u "$who" -- sh -c 'cd /odk-sync && exec "$@"' sh "$@"
    fi
}

# Without the packages and without sudo, autogen.sh must say what to do.
follow_message() {
    local said command status=0
    said=$(in_clone ./autogen.sh check 2>&1 </dev/null) || status=$?
    echo "$said"
    [ "$status" -ne 0 ] || fail "autogen.sh succeeded without its packages"
    # the lines behind "as root:", indented by four
    command=$(awk '/as root:$/ { on = 1; next } on && /^    / { print }' \
        <<<"$said")
    [ -n "$command" ] || fail "autogen.sh does not say what to run as root"
    echo "+ $command"
    inside sh -ec "cd /odk-sync; $command" </dev/null
}

# step NAME COMMAND...
step() {
    local name=$1 start=$SECONDS status=0
    shift
    echo "--- $release as $who: $name"
    "$@" || status=$?
    echo "--- $release as $who: $name: status $status, $((SECONDS - start)) s"
    return "$status"
}

copy_results() {
    [ -n "$results" ] || return 0
    mkdir -p "$results"
    (cd "$root/odk-sync/build" &&
        find tests \( -name '*.trs' -o -name '*.log' \) -print0 |
        tar -c --null --files-from=-) | tar -x -C "$results"
}

prove() {
    mount -t tmpfs -o size=6g,mode=0755 tmpfs "$work"
    root=$work/root
    mkdir "$root"
    step 'base system' bootstrap
    git clone -q --no-hardlinks "file://$source" "$root/odk-sync"
    if [ "$who" != root ]; then
        inside useradd --create-home "$who"
        inside chown -R "$who" /odk-sync
        step 'what to run as root' follow_message
    fi
    step './autogen.sh demo' in_clone ./autogen.sh demo
    local status=0
    step './autogen.sh check' in_clone ./autogen.sh check || status=$?
    copy_results
    [ "$status" -eq 0 ] || return "$status"
    [ -z "$then" ] || who=root step "$then" in_clone sh -ec "$then"
}

results='' then=''
while [ $# -gt 0 ]; do
    case $1 in
    --results) results=$(realpath -m "$2") && shift 2 ;;
    --then) then=$2 && shift 2 ;;
    --help)
        usage
        exit 0
        ;;
    -*) usage >&2 && exit 64 ;;
    *) break ;;
    esac
done
release=${1-} who=${2-}
case $release:$who in
bookworm:root | bookworm:user | trixie:root | trixie:user) ;;
*) usage >&2 && exit 64 ;;
esac
[ "$(id -u)" -eq 0 ] || fail "this needs root"
command -v debootstrap >/dev/null || fail "this needs the package debootstrap"
source=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)

if [ -z "${BARE_DEBIAN_WORK-}" ]; then
    BARE_DEBIAN_WORK=$(mktemp -d)
    export BARE_DEBIAN_WORK
    trap 'rmdir "$BARE_DEBIAN_WORK"' EXIT
    # unshare takes no signal but KILL, with which all that it started ends
    trap 'kill -KILL "$namespaces"; wait "$namespaces" || true; exit 130' \
        INT TERM HUP
    unshare --mount --pid --fork --kill-child --mount-proc \
        "$0" ${results:+--results "$results"} ${then:+--then "$then"} \
        "$release" "$who" &
    namespaces=$!
    wait "$namespaces"
    exit
fi
work=$BARE_DEBIAN_WORK
mirror=${DEBIAN_MIRROR-$(find_mirror)}
prove
