#!/usr/bin/env bash
# The packed crates as somebody gets them who names them: a program outside of the workspace (`.ci/outside`) depends on them alone, and runs with no
# feature, with each by itself, and with all at once. `.ci/outside.sh FEATURE…` tries only these; `none` and `all` are words for the first and the last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$target
work=$target/outside
program=$work/program/Cargo.toml
rm -rf "$work"
mkdir -p "$work/packed" "$work/program/.cargo"

rm -f "$target"/package/*.crate
cargo package --workspace --exclude countermand-benches --exclude training --exclude axum-service --no-verify --allow-dirty --quiet
ls -l "$target"/package/*.crate
for crate in "$target"/package/*.crate; do
    tar -xf "$crate" -C "$work/packed"
done

# Each crate that the facade may ask for comes from its package, none from this house; the rest, as locked here.
cp -R .ci/outside/. "$work/program"
cp Cargo.lock "$work/program"
{
    echo '[patch.crates-io]'
    for packed in "$work"/packed/countermand*; do
        name=$(basename "$packed")
        name=${name%-*}
        [ "$name" = countermand-conformance ] || echo "$name = { path = \"$packed\" }"
    done
} >"$work/program/.cargo/config.toml"

# features MANIFEST: those that it declares, but for the default.
features() {
    cargo metadata --no-deps --format-version 1 --manifest-path "$1" | python3 -c '
import json, sys
print(*sorted(set(json.load(sys.stdin)["packages"][0]["features"]) - {"default"}))'
}
declared=$(features "$work"/packed/countermand-[0-9]*/Cargo.toml)
[ "$declared" = "$(features "$program")" ] || { echo "the program does not try what the facade declares: $declared"; exit 1; }

# run FLAG…: the program, whose settings are found from where it lies.
run() {
    (cd "$work/program" && cargo run --quiet "$@")
}
tried=0
for feature in ${*:-none $declared all}; do
    case $feature in
    none) expected="none" told=$(run) ;;
    all) expected="none $declared" told=$(run --all-features) ;;
    *) expected="none $feature" told=$(run --features "$feature") ;;
    esac
    [ "$(sed -n 's/ works$//p' <<<"$told" | LC_ALL=C sort)" = "$(tr ' ' '\n' <<<"$expected" | LC_ALL=C sort)" ] || { echo "with $feature: $told"; exit 1; }
    echo "a program with $feature builds and runs ($SECONDS s)"
    tried=$((tried + 1))
done
! grep -q 'source = "registry.*countermand' "$work/program/Cargo.lock"
[ "$tried" -gt 0 ]
