#!/usr/bin/env bash
# Whether each package depends only on whom it may. `deny.toml` says who may name a runtime at all; this looks at what users get (without
# tests, examples and benchmarks), where only the crate that binds a runtime may.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# package: the packages that it may name directly, of those that are runtimes or parts of one
allowed() {
    case $1 in
    countermand-tokio) echo tokio tokio-util ;;
    weatherlight | training | axum-service) echo tokio ;; # a program starts its runtime
    countermand-smol) echo async-executor async-io async-global-executor blocking smol ;;
    countermand-embassy) echo embassy-executor ;; # its tests start one on this machine, with a time driver
    *) ;;
    esac
}

runtimes="tokio tokio-util smol async-executor async-io async-global-executor async-std blocking embassy-executor embassy-time"
packages=$(cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    # The suite and the benchmarks are programs about the runtimes; they may start them.
    if package["name"] not in ("countermand-conformance", "countermand-benches"):
        print(package["name"])')
examined=0
bad=0
for package in $packages; do
    examined=$((examined + 1))
    may=" $(allowed "$package") "
    dependencies=$(cargo tree --package "$package" --edges normal,build --all-features --depth 1 --prefix none --format '{p}')
    for dependency in $(tail -n +2 <<<"$dependencies" | cut -d ' ' -f 1); do
        if [[ " $runtimes " == *" $dependency "* && $may != *" $dependency "* ]]; then
            echo "$package may not depend on $dependency"
            bad=1
        fi
    done
done

# The core knows nobody of this house, not even in its tests.
known=$(cargo tree --package countermand-core --edges all --all-features --target all --prefix none --format '{p}' | tail -n +2)
if grep -E '^(countermand|tokio|smol|async-io|async-executor)' <<<"$known"; then
    echo "the core may not depend on these"
    bad=1
fi
echo "$examined packages examined"
exit $((bad || examined == 0))
