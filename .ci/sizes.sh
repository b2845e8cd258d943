#!/usr/bin/env bash
# What the smallest uses of the core weigh on a microcontroller without a heap: bytes of flash and of RAM that an image with them has more than
# one without, beside embassy-sync's nearest. The limits are enforced. `core`'s formatting, an allocator and `std` must not be in what is weighed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
manifest=conformance/firmware/heapless/Cargo.toml
settings=$(.ci/baremetal.sh prepare)
eval "$settings"

# build TRIPLE: the weighed images, with the library from its sources where the toolchain has none.
build() {
    local sources=()
    if [ -n "${COUNTERMAND_RUST_SOURCES:-}" ]; then
        sources=(-Zbuild-std=core)
        export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$COUNTERMAND_RUST_SOURCES
    fi
    cargo build --quiet --locked --release --manifest-path "$manifest" --target "$1" --target-dir "$target/baremetal" "${sources[@]}"
    unset RUSTC_BOOTSTRAP __CARGO_TESTS_ONLY_SRC_ROOT
}

printf '| %-22s | %-36s | flash | RAM |\n| --- | --- | ---: | ---: |\n' target use
# row TRIPLE IMAGE NAME [FLASH RAM]: one row; with limits, they are kept.
row() {
    local images=$target/baremetal/$1/release flash ram base_flash base_ram
    read -r base_flash base_ram < <(.ci/weigh.py "$images/weigh_nothing")
    read -r flash ram < <(.ci/weigh.py "$images/$2")
    flash=$((flash - base_flash)) ram=$((ram - base_ram))
    printf '| %-22s | %-36s | %5d | %3d |\n' "$1" "$3" "$flash" "$ram"
    .ci/weigh.py --without core3fmt __rust_alloc _ZN5alloc _ZN3std 5alloc 3std -- "$images/$2"
    [ $# -lt 5 ] || { [ "$flash" -gt 0 ] && [ "$flash" -le "$4" ] && [ "$ram" -gt 0 ] && [ "$ram" -le "$5" ]; } || {
        echo "$3 weighs more than $4 bytes of flash or $5 of RAM, or nothing at all, on $1"
        return 1
    }
}

# A Cortex-M0 may take a tenth more than an M3.
for target_and_limit in "thumbv7m-none-eabi 2560" "thumbv6m-none-eabi 2816"; do
    read -r triple worker <<<"$target_and_limit"
    build "$triple"
    row "$triple" weigh_token "a token that one waits for" 640 64
    row "$triple" weigh_signal "embassy-sync's \`Signal\`"
    row "$triple" weigh_worker "it, a worker of 2 lanes and 8 slots" "$worker" 640
    row "$triple" weigh_limits "they, and a time-out for a run" "$worker" 640
    row "$triple" weigh_router "a router, 2 packets of each priority"
    row "$triple" weigh_queue "a queue of eight, both ends waiting"
    row "$triple" weigh_channel "embassy-sync's \`Channel\` of eight"
    row "$triple" weigh_priority_channel "its \`PriorityChannel\` of eight"
done

# Whole images, with embassy's executor.
for triple in thumbv7m-none-eabi thumbv6m-none-eabi; do
    read -r flash ram < <(.ci/weigh.py "$target/baremetal/$triple/release/weigh_worker")
    printf '| %-22s | %-36s | %5d | %3d |\n' "$triple" "the whole image of token and worker" "$flash" "$ram"
    [ "$flash" -le 6144 ] && [ "$ram" -le 1024 ] || { echo "a whole image has more than 6 KiB of flash or 1 KiB of RAM on $triple"; exit 1; }
done

# Null control: an image that formats is seen to.
if .ci/weigh.py --without core3fmt -- "$target/baremetal/thumbv7m-none-eabi/release/held" >/dev/null 2>&1; then
    echo "an image that formats was not seen to: the look at the symbols proves nothing"
    exit 1
fi
