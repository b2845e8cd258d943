#!/usr/bin/env bash
# The images of `conformance/firmware` on an emulated Cortex-M3: the rules of the contract, the smallest host, static tasks of embassy's, cancels from an
# interrupt, 400 days of ticks; those without a heap, tokens, a worker, a queue, a router and a guard, on it and on a Cortex-M0; and that what must fail does.
#
# `.ci/baremetal.sh prepare` only prepares, and prints settings: `eval "$(.ci/baremetal.sh prepare)"`, after which
# `cargo run --release -p countermand-conformance -- --host cortex-m3 --host cortex-m0` works. What cannot be had is an error, never a pass.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

triple=thumbv7m-none-eabi
machine=mps2-an385
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/baremetal
manifest=conformance/firmware/Cargo.toml
library=core,alloc
mkdir -p "$work"
log=$work/prepare.log

# apt with lists and a cache of its own, for these suites of the mirror that the machine is set up for.
own_apt() {
    local command=$1 suites=$2 mirror suite
    shift 2
    mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
        sed -n 's,^URIs: *\(.*\)/debian/*$,\1,p; s,^deb .* *\([a-z]*://[^ ]*\)/debian/* .*,\1,p' | sed -n 1p)
    [ -n "$mirror" ] || { echo "apt is set up for no mirror of Debian"; return 1; }
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
    for suite in $suites; do
        case $suite in
        *-security) echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror/debian-security $suite main" ;;
        *) echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror/debian $suite main" ;;
        esac
    done >"$work/apt/sources.list"
    DEBIAN_FRONTEND=noninteractive "$command" -qq -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$work/apt/lists" -o Dir::Cache::archives="$work/apt/archives" -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# The sources of the library of exactly this compiler, from whichever suite has them.
sources() {
    local version suites="trixie-backports forky sid bookworm-security" package
    version=$(rustc -Vv | sed -n 's/^release: \([0-9.]*\).*/\1/p')
    [ -e "$work/src-$version/library/core/Cargo.toml" ] && return
    own_apt apt-get "$suites" update
    package=$(own_apt apt-cache "$suites" madison rust-src rust-web-src |
        awk -F'|' -v v="$version" '{ gsub(/ /, ""); if (index($2, v "+") == 1 || index($2, v "-") == 1) { print $1 "=" $2; exit } }')
    [ -n "$package" ] || { echo "no suite of Debian has the sources of Rust $version; \`rustup target add $triple\` makes them needless"; return 1; }
    rm -rf "$work/src-$version" "$work/deb" && mkdir -p "$work/src-$version" "$work/deb"
    (cd "$work/deb" && own_apt apt-get "$suites" download "$package")
    dpkg-deb --fsys-tarfile "$work"/deb/*.deb | tar -x -C "$work/src-$version" --strip-components=4 --wildcards './usr/src/rustc-*/library'
    [ -e "$work/src-$version/library/core/Cargo.toml" ] || { echo "$package has no library in it"; return 1; }
}

# Debian's emulator, beside what the machine has: it may hold other packages of the emulator's from the backports.
emulator() {
    local suite
    command -v qemu-system-arm >/dev/null && return
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    own_apt apt-get "$suite $suite-security $suite-backports" update
    own_apt apt-get "$suite $suite-security $suite-backports" install -y --no-install-recommends --no-remove -t "$suite-backports" qemu-system-arm
    command -v qemu-system-arm >/dev/null
}

prepare() {
    local installed
    installed=$(rustc --print sysroot)/lib/rustlib/$triple
    # Not in a condition of its own: there `set -e` would stop nothing.
    emulator >"$log" 2>&1 || { echo "the emulator cannot be had, see $log" >&2; tail -n 3 "$log" >&2; return 1; }
    if [ ! -d "$installed" ]; then
        sources >>"$log" 2>&1 || { echo "the sources of the library cannot be had, see $log" >&2; tail -n 3 "$log" >&2; return 1; }
        echo "export COUNTERMAND_RUST_SOURCES='$work/src-$(rustc -Vv | sed -n 's/^release: \([0-9.]*\).*/\1/p')/library'"
    fi
}

# build DIRECTORY OPTION…: the images, with the library from its sources where the toolchain has none.
build() {
    local directory=$1
    shift
    if [ -n "${COUNTERMAND_RUST_SOURCES:-}" ]; then
        set -- "$@" -Zbuild-std=$library
        export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$COUNTERMAND_RUST_SOURCES
    fi
    cargo build --quiet --locked --release --manifest-path "$manifest" --target "$triple" --target-dir "$directory" "$@"
    unset RUSTC_BOOTSTRAP __CARGO_TESTS_ONLY_SRC_ROOT
}

# expect STATUS DIRECTORY IMAGE WORD…: runs the image; with another status the checks end here.
expect() {
    local status=$1 image=$2/$triple/release/$3 words=$3 got=0 word
    shift 3
    for word in "$@"; do words+=",arg=$word"; done
    timeout "${limit:-60}" qemu-system-arm -machine $machine -nographic -monitor none -serial none -icount shift=6,sleep=off \
        -semihosting-config "enable=on,target=native,arg=$words" -kernel "$image" </dev/null >"$work/said" 2>&1 || got=$?
    tail -n 2 "$work/said"
    [ "$got" -eq "$status" ] || { echo "$image $* ended with $got instead of $status"; return 1; }
}

# said TEXT: the image that ran last said so.
said() {
    grep -qF -- "$1" "$work/said" || { echo "it did not say: $1"; return 1; }
}

if [ "${1:-}" = prepare ]; then
    prepare
    exit
fi

settings=$(prepare)
eval "$settings"
qemu-system-arm --version | sed -n 1p

build "$work"
for image in superloop tasks interrupt uptime days; do
    limit=300 expect 0 "$work" "$image"
    said "$image:"
done
# Null controls: these must fail, each in its own way.
expect 1 "$work" fails assertion
said "as it was told to"
expect 1 "$work" fails hardfault
said "HardFault"
limit=5 expect 124 "$work" fails hang
expect 1 "$work" rules __examine cortex-m3 J4
said "is called with"

# The rules of a board: at least so many of them must pass.
passed=0
board() {
    local now
    cargo run --quiet --release -p countermand-conformance -- --host "$1" | tee "$work/table"
    now=$(sed -n 's/^\([0-9]*\) passed in .*/\1/p' "$work/table")
    [ "${now:-0}" -ge "$2" ] || { echo "only ${now:-0} rules were examined on $1"; exit 1; }
    passed=$((passed + now))
}
board cortex-m3 67
board cortex-m0 87

# A rule that is broken on purpose makes the image fail, with its number.
build "$work/mutants" --bin rules --features mutants
broken() {
    expect 0 "$work/mutants" rules __examine cortex-m3 "$1" 1
    expect 1 "$work/mutants" rules __examine cortex-m3 "$1" 1 "$2"
    said "$1 is broken"
}
broken D3 FiresOneTickEarly
broken J4 PollsAfterTheRequest
broken Q2 LifoWithinPriority
broken T10 LaterCauseOverwrites

# Nowhere is there `std`.
for image in superloop tasks interrupt uptime days rules; do
    .ci/weigh.py --without _ZN3std 3std -- "$work/$triple/release/$image"
done
# Null control: an image with a heap is seen to have an allocator.
if .ci/weigh.py --without __rust_alloc -- "$work/$triple/release/superloop" >/dev/null 2>&1; then
    echo "an image with an allocator was not seen to: the look at the symbols proves nothing"
    exit 1
fi

# Without a heap, on both boards: the same rules, how deep the stack is, and rules that are broken.
manifest=conformance/firmware/heapless/Cargo.toml
library=core
for board in "thumbv7m-none-eabi mps2-an385" "thumbv6m-none-eabi microbit"; do
    read -r triple machine <<<"$board"
    build "$work" --bin held
    .ci/weigh.py --without __rust_alloc 5alloc _ZN3std 3std -- "$work/$triple/release/held"
    expect 0 "$work" held stack
    said "stack: "
    expect 0 "$work" held list
    sort -u "$work/said" >"$work/asked"
    echo "$(wc -l <"$work/asked") rules without a heap on $machine"
    [ "$(wc -l <"$work/asked")" -ge 87 ]
    # On the M0 the program has asked them; on the M3 it asks those with a heap.
    [ "$machine" = microbit ] || for rule in $(cat "$work/asked"); do
        expect 0 "$work" held __examine any "$rule" 1 >/dev/null
        said pass
    done
    build "$work/mutants" --bin held --features mutants
    passes=
    for breach in "T1 BothToldFirst" "T7 WakesTwice" "T10 LaterCauseOverwrites" "T11 DisarmedGuardCancels" "T12 ForgetsCallbackWhenCancelled" "T13 UnregisterClaimsTooMuch" "D1 ChildOverridesDeadline" "D3 FiresOneTickEarly" \
        "D6 ExpiryIsARequest" "D8 OverflowIsDueAtOnce" "D9 ExpiresTheInnermost" \
        "D2 DeadlineIgnoredWhileRunning" "D4 PastDeadlinePolledOnce" "D5 RunTimeoutFromSubmit" "J2 PollsAJobCancelledWhileQueued" "J3 ReadyThrownAway" \
        "J4 PollsAfterTheRequest" "J5 GraceIsIgnored" "R9 GraceIsIgnored" "J6 EveryCancelIsFirst" "J7 OutcomeBeforeDrop" "J9 LateValueIsLost" "J11 TokenIsNobodysChild" "Q1 OneLaneMoreThanTheLimit" "Q2 LifoWithinPriority" "Q3 NoAgeing" \
        "Q4 CancelledEntryKeepsItsPlace" "Q4 FreedCapacityWakesNobody" "Q5 EvictsItsEquals" "Q6 DroppedSendKeepsItsGrant" "Q6 CancelledSubmitterKeepsItsPermit" \
        "Q8 ReserveIsOpenToItems" "Q8 FloodFillsTheReserve" "Q9 LastSenderFirst" "Q9 LastSubmitterFirst" "Q7 QueueTimeoutWaitsForALane" "S3 AbortAsksNobody" "S3 ShutdownForgetsWaitingSubmitters" "S4 DrainLimitIsIgnored" "S5 DrainRelaxesAnAbort" \
        "S6 VanishedRuntimeStrandsJobs" "L2 LowestLaneFirst" "L4 BusyWhenIdle" "L5 ParksWithoutLooking" "X1 DroppingAHandleCancels" "X4 DetachedResultsPileUp" \
        "E1 MisspeltPriorityIsNormal" "E2 NormalAheadOfHigh" "E3 RefusedGoesLast" "E4 CriticalIsShed" "E5 ShedIsNotCounted" "E7 UnstartedEndsUntold" "E8 DeadLettersAreNotCounted" \
        "E9 SinksInSequence" "E10 RefusalAdvances" "E11 FlushesOnTheNextPacketOnly" "E15 OneCriticalReroutesTheRest" "E16 RouterFeedsItself" \
        "G1 BlankIdentifierAccepted" "G1 LongIdentifierIsCut" "G2 ReportsAndLetsPass" "G2 ViolationReportedTwice" "G3 ChecksAfterTheSideEffect" \
        "G3 FallbackWithoutPermission" "G3 FallbackUsedSilently"; do
        read -r rule mutant <<<"$breach"
        # Without the defect it passes.
        [ "$rule" = "$passes" ] || expect 0 "$work/mutants" held __examine any "$rule" 1 >/dev/null
        passes=$rule
        expect 1 "$work/mutants" held __examine any "$rule" 1 "$mutant"
        said "$rule is broken"
    done
done
echo "baremetal: $passed rules on two boards, five images, five failures that must be, 134 rules broken on purpose"
