#!/bin/sh
# tests/fuzz/run.sh - SPDX-License-Identifier: Apache-2.0
#
# Fuzz each TARGET for $FUZZ_S seconds, beginning with its seeds and with what
# earlier runs found (corpus/TARGET). An input that breaks a rule ends the run
# and stays as crash-... in corpus/; make it a seed with its repair.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

for target; do
    name=${target##*/}
    corpus=corpus/$name
    mkdir -p "$corpus"
    echo "fuzz $name: $FUZZ_S s"
    "$target" -max_total_time="$FUZZ_S" -max_len=4096 -timeout=20 \
        -rss_limit_mb=1024 -artifact_prefix="$corpus/" -print_final_stats=1 \
        -dict="$here/words.dict" "$corpus" "$here/seeds/$name" \
        2>"$corpus.log" || {
        tail -n 40 "$corpus.log"
        exit 1
    }
    grep 'number_of_executed_units\|peak_rss_mb' "$corpus.log"
done
