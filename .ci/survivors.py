"""Mutants of the source that are known to survive, with why: `.cargo/survivors.txt`."""
import collections
import pathlib
import re

KNOWN = pathlib.Path(__file__).resolve().parent.parent / ".cargo" / "survivors.txt"


def known_survivors():
    lines = KNOWN.read_text().splitlines() if KNOWN.exists() else []
    return collections.Counter(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def not_built():
    """Those known survivors that are in no code of the core as it is built for its tests."""
    names, under = set(), False
    for line in KNOWN.read_text().splitlines() if KNOWN.exists() else []:
        if line.startswith("#"):
            under = line.startswith("# Not part of the core")
        elif under and line.strip():
            names.add(line.strip())
    return names


def without_place(name):
    """A mutant's name without its line and column, which move."""
    return re.sub(r":\d+:\d+:", ":", name, count=1)
