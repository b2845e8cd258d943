#!/usr/bin/env bash
# The long runs that are not part of `run`: what they saw last stands in conformance/EXPLORE.md. Linux on x86-64.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$target"

# tests_of SANITIZER LEAST OPTION…: the tests of the core and of three hosts under a sanitizer. So many must have run at the least: a tenth of what was seen
# last, since a lane that ran nothing has failed.
tests_of() {
    local sanitizer=$1 least=$2 log=$target/$1.log seen
    shift 2
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=$sanitizer CARGO_TARGET_DIR=$target/$sanitizer \
        cargo test -p countermand-core -p countermand-tokio -p countermand-smol -p countermand-blocking \
        --target x86_64-unknown-linux-gnu --lib --tests --no-fail-fast "$@" 2>&1 | tee "$log"
    seen=$(awk '/^test result/ { all += $4 } END { print all + 0 }' "$log")
    echo "$seen tests under -Zsanitizer=$sanitizer"
    [ "$seen" -ge "$least" ]
}

# AddressSanitizer and LeakSanitizer. Two tests forget a wait on purpose (X5, S5), and are left out: what they forget is a leak.
addresses() {
    tests_of address 44 -- --skip x5_a_forgotten_wait_is_harmless --skip s5_who_waits_for_its_own_worker_is_told
    # Once more where nothing keeps the memory of jobs that have gone: so whoever uses one is seen.
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address --cfg countermand_unkept" CARGO_TARGET_DIR=$target/address \
        cargo test -p countermand-core --target x86_64-unknown-linux-gnu --test stress
}

# ThreadSanitizer, with the standard library rebuilt for it: what is not built for it looks like races. A million jobs on one thread show it nothing and take long.
threads() {
    local sources settings
    sources=$(rustc --print sysroot)/lib/rustlib/src/rust/library
    if [ ! -d "$sources" ]; then
        settings=$(.ci/baremetal.sh prepare)
        eval "$settings"
        sources=${COUNTERMAND_RUST_SOURCES:?"the sources of the library are needed: rustup component add rust-src"}
    fi
    __CARGO_TESTS_ONLY_SRC_ROOT=$sources tests_of thread 41 -Zbuild-std -- --skip a_million_jobs_leave_memory_flat
}

# Scripts of tokens, queues and jobs, and bytes that others send: so many inputs each. Wants nightly and cargo-fuzz.
fuzz() {
    local runs=${COUNTERMAND_RUNS:-1000000} log=$target/fuzz.log folder name options
    while read -r folder name options; do
        # shellcheck disable=SC2086 # several options
        (cd "$folder" && cargo +nightly fuzz run -s none "$name" -- -runs="$runs" -print_final_stats=1 $options 2>&1)
    done <<'END' | tee "$log"
core tokens -max_len=800 -timeout=5
core queue -max_len=400 -timeout=5
core jobs -max_len=400 -timeout=5
adapters/wire packet -max_len=1024 -timeout=5
adapters/wire frames -max_len=1024 -timeout=5
adapters/config load -max_len=2048 -timeout=5
END
    awk -v runs="$runs" '/^stat::number_of_executed_units:/ { targets++; all += $2 } END { print all + 0 " inputs of " targets + 0 " targets"; exit targets < 6 || all < 6 * runs }' "$log"
}

# Whole scenarios under random schedules: so many each, instead of what `core/tests/shuttle/explore.rs` records. With the feature `mutants` the last shows, too, that it sees what it is for.
schedules() {
    local log=$target/shuttle.log
    local -x RUSTFLAGS="--cfg countermand_shuttle" CARGO_TARGET_DIR=$target/shuttle COUNTERMAND_SCHEDULES=${COUNTERMAND_SCHEDULES:-200000}
    {
        cargo test -p countermand-core --release --test shuttle -- --nocapture --test-threads 1
        cargo test -p countermand-config --release --features mutants --test shuttle -- --nocapture --test-threads 1
    } | tee "$log"
    awk '/shuttle [a-z ]*: [0-9]+ executions/ { scenarios++ } END { print scenarios + 0 " scenarios"; exit scenarios < 11 }' "$log"
}

# How many rounds of a race it takes to see a defect, fifty times each, on the first of these hosts on which it is one.
power() {
    cargo run --release -p countermand-conformance -- --power --host sim --host blocking --host tokio
}

soaks() {
    cargo run --release -p countermand-conformance -- soak --jobs 10_000_000 --host tokio --host smol --host blocking
}

# The mutants of cargo-mutants on the core, all in one build: those of COUNTERMAND_SHARD, K/N, or all that were not met yet; then the figures. Wants cargo-mutants, and of PyPI tree-sitter and
# tree-sitter-rust. `cargo mutants -p countermand-core` by itself does the same, with a build a mutant.
mutants() {
    local work=$target/mutants
    CARGO_TARGET_DIR=$target .ci/mutants.py build
    CARGO_TARGET_DIR=$target .ci/mutants.py run --shard "${COUNTERMAND_SHARD:-0/1}"
    CARGO_TARGET_DIR=$target .ci/mutants.py report | tee "$work/report.md"
}

# What the core's tests reach. Wants cargo-llvm-cov, and Debian's LLVM of the compiler's version.
coverage() {
    LLVM_COV=llvm-cov-22 LLVM_PROFDATA=llvm-profdata-22 CARGO_LLVM_COV_TARGET_DIR=$target/coverage \
        cargo llvm-cov test -p countermand-core --features serde --lib --tests --no-fail-fast
}

# Each package, built out of what is in it.
packages() {
    cargo package --workspace --exclude countermand-benches --exclude training --exclude axum-service
}

# What breaks whoever uses the last release, or another commit that is named.
semver() {
    local base=${COUNTERMAND_BASELINE:-}
    [ -n "$base" ] || base=$(git describe --tags --abbrev=0 2>/dev/null) || {
        echo "no release is tagged, and COUNTERMAND_BASELINE names no commit: there is nothing to compare with"
        return 1
    }
    cargo semver-checks --version || cargo install --locked cargo-semver-checks
    cargo semver-checks --workspace --exclude countermand-benches --exclude training --exclude axum-service --baseline-rev "$base"
}

lanes="addresses threads fuzz schedules power soaks mutants coverage packages semver"
for lane in "${@:-addresses}"; do
    case " $lanes " in
        *" $lane "*) "$lane" ;;
        *)
            echo "$lane is no lane: there are $lanes" >&2
            exit 2
            ;;
    esac
done
