#!/usr/bin/env python3
"""Whether every command of cargo's that a document shows names what is there: packages, examples, programs, benchmarks, features. It does not run
them; that the programs do what is said of them is for their tests."""
import json
import pathlib
import re
import shlex
import subprocess
import sys

FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(cargo (?:run|test|bench|doc) [^`]*)`")
KINDS = {"--example": "example", "--bin": "bin", "--bench": "bench", "--test": "test"}


def commands(text):
    """Those in blocks and in lines, with the variables of their block put in."""
    for block in FENCE.findall(text.replace("\\\n", " ")):
        variables = dict(re.findall(r"^(\w+)=(\S+)$", block, re.MULTILINE))
        for line in block.splitlines():
            line = re.sub(r"\$(\w+)", lambda name: variables.get(name[1], name[0]), line)
            if line.startswith("cargo ") and "+nightly" not in line:
                yield line
    yield from INLINE.findall(FENCE.sub("", text))


def faults(command, packages):
    words = shlex.split(command, comments=True)
    own = words[: words.index("--")] if "--" in words else words
    values = {flag: value for flag, value in zip(own, own[1:]) if flag.startswith("-")}
    name = values.get("-p") or values.get("--package")
    if name is None:
        return
    if name not in packages:
        yield f"there is no package {name}"
        return
    package = packages[name]
    for flag, kind in KINDS.items():
        if flag in values and not any(kind in target["kind"] and target["name"] == values[flag] for target in package["targets"]):
            yield f"{name} has no {kind} {values[flag]}"
    asked = set(filter(None, values.get("--features", "").split(",")))
    yield from (f"{name} has no feature {feature}" for feature in sorted(asked - set(package["features"])))
    for target in package["targets"]:
        if flag_names(target, values):
            missing = set(target.get("required-features", [])) - asked - set(package["features"].get("default", []))
            if missing and "--all-features" not in own:
                yield f"the {target['name']} of {name} needs {', '.join(sorted(missing))}"


def flag_names(target, values):
    return any(kind in target["kind"] and values.get(flag) == target["name"] for flag, kind in KINDS.items())


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    told = json.loads(
        subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=root, check=True, capture_output=True).stdout
    )
    packages = {package["name"]: package for package in told["packages"]}
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=root, check=True, capture_output=True, text=True).stdout
    found, seen = [], 0
    for name in filter(None, listed.split("\0")):
        for command in commands((root / name).read_text(encoding="utf-8")):
            seen += 1
            found += [f"{name}: {command}: {fault}" for fault in faults(command, packages)]
    print("\n".join(found) if found else f"{seen} commands of documents name what is there")
    return bool(found) or not seen


if __name__ == "__main__":
    sys.exit(main())
