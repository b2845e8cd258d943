#!/usr/bin/env bash
# The long runs that are not part of `run`: what they saw last stands in conformance/EXPLORE.md. Linux on x86-64.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
target=${CARGO_TARGET_DIR:-$PWD/target}

# The tests of the core and of three hosts under AddressSanitizer and LeakSanitizer. One test forgets a wait on purpose (X5), and is left out: what it
# forgets is a leak.
addresses() {
    local log=$target/address.log seen
    mkdir -p "$target"
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$target/address \
        cargo test -p countermand-core -p countermand-tokio -p countermand-smol -p countermand-blocking \
        --target x86_64-unknown-linux-gnu --lib --tests --no-fail-fast -- --skip x5_a_forgotten_wait_is_harmless 2>&1 | tee "$log"
    seen=$(awk '/^test result/ { all += $4 } END { print all + 0 }' "$log")
    echo "$seen tests under AddressSanitizer"
    # A tenth of what was seen last: a lane that ran nothing has failed.
    [ "$seen" -ge 36 ]
}

soaks() {
    cargo run --release -p countermand-conformance -- soak --jobs 10_000_000 --host tokio --host smol --host blocking
}

# Each package, built out of what is in it.
packages() {
    cargo package --workspace --exclude countermand-benches --exclude training --exclude axum-service
}

# What breaks whoever uses the last release.
semver() {
    local tag
    tag=$(git describe --tags --abbrev=0 2>/dev/null) || {
        echo "no release is tagged: there is nothing to compare with"
        return 1
    }
    cargo semver-checks --version || cargo install --locked cargo-semver-checks
    cargo semver-checks --workspace --exclude countermand-benches --exclude training --exclude axum-service --baseline-rev "$tag"
}

for lane in "${@:-addresses}"; do
    case $lane in
        addresses | soaks | packages | semver) "$lane" ;;
        *)
            echo "$lane is no lane: there are addresses, soaks, packages, semver" >&2
            exit 2
            ;;
    esac
done
