#!/usr/bin/env bash
# Builds the core and the facade for their three sizes of host against a sysroot that holds nothing but what that size has: `core` alone, `core` and
# `alloc`, everything. Whatever in the graph of dependencies needs more does not compile. (A build of the host with default features
# off proves nothing: it can still link `std`.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rustc=${RUSTC:-rustc}
host=$("$rustc" -vV | sed -n 's/^host: //p')
libraries=$("$rustc" --print sysroot)/lib/rustlib/$host/lib
work=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/bare

# A sysroot below $work with the named libraries of the toolchain, and no other.
sysroot() {
    local name=$1 library
    shift
    local to=$work/sysroot-$name/lib/rustlib/$host/lib
    rm -rf "$work/sysroot-$name"
    mkdir -p "$to"
    for library in "$@"; do
        local found=("$libraries/lib$library"-*)
        [[ -e ${found[0]} ]] || { echo "the toolchain has no lib$library" >&2; return 1; }
        # Hard links where both are on one disk.
        cp -l "${found[@]}" "$to" 2>/dev/null || cp "${found[@]}" "$to"
    done
}

# check SIZE PACKAGE OPTION…; with `into`, in a target directory of its own, where there is no other build of the package.
check() {
    local size=$1 package=$2
    shift 2
    echo "bare: $package $size"
    # The rustflags of a target replace those of the caller's; with --target they do not reach build scripts and macros, which run
    # on the host with all of std.
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS \
        "CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$host")_RUSTFLAGS=--sysroot $work/sysroot-$size -D warnings" \
        cargo check --quiet --target "$host" --target-dir "$work/target-${into:-$size}" --package "$package" --lib "$@"
}

sysroot neither core compiler_builtins
sysroot alloc core compiler_builtins alloc

# The core, and the crate that people name.
for package in countermand-core countermand; do
    check neither "$package" --no-default-features
    check neither "$package" --no-default-features --features critical-section
    check alloc "$package" --no-default-features --features alloc
    check alloc "$package" --no-default-features --features alloc,critical-section
    echo "bare: $package std"
    cargo check --quiet --target-dir "$work/target-std" --package "$package" --lib
done
check neither countermand-embassy --no-default-features
check alloc countermand-embassy --no-default-features --features alloc
check alloc countermand --no-default-features --features runtime-embassy
check alloc countermand-conformance --no-default-features
check neither countermand-core --no-default-features --features serde
check neither countermand-core --no-default-features --features defmt
check alloc countermand-core --no-default-features --features alloc,defmt
check alloc countermand-core --no-default-features --features alloc,serde

# What needs no heap is there without one.
into=guard check neither countermand-core --no-default-features
core=$(ls -t "$work/target-guard/$host/debug/deps"/libcountermand_core-*.rmeta | head -n 1)
echo "#![no_std] pub use countermand_core::{BlueprintId, DependencyPolicy, Event, Guard, Intake, Known, Label, Level, PacketParts, Registry, Text, Urgency, Violation};
    pub use countermand_core::{catalogue::events::PrefetchTimeout, identifier};
    identifier! { /// One of its own.
    pub struct PumpId = \"pump\"; }" |
    "$rustc" --edition 2024 --sysroot "$work/sysroot-neither" --crate-type lib --emit metadata --out-dir "$work" -L "dependency=$(dirname "$core")" \
        --extern "countermand_core=$core" -

# Null control: the sysroots must refuse what needs more than they have.
refuses() {
    local size=$1 crate=$2
    if echo "#![no_std] extern crate $crate;" | "$rustc" --sysroot "$work/sysroot-$size" --crate-type lib --emit metadata --out-dir "$work" - 2>/dev/null; then
        echo "the sysroot of the size '$size' gave $crate: these checks prove nothing" >&2
        return 1
    fi
}
refuses neither alloc
refuses neither std
refuses alloc std
echo "bare: three sizes built, three refusals seen"
