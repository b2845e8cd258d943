#!/usr/bin/env python3
"""Whether every relative link of the documents leads somewhere: to a file that git knows, and to a heading in it. Addresses elsewhere are not
looked at: this runs offline. Links of the book into the code are checked by rustdoc."""
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
SOURCE = re.compile(r"(?:src|srcset|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(text):
    """The names that a heading can be linked by, as GitHub makes them."""
    seen = {}
    for title in re.findall(r"^#{1,6}\s+(.*)$", FENCE.sub("", text), re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").strip().lower()
        name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        yield name if count == 0 else f"{name}-{count}"


def faults(root, known):
    folders = {parent for name in known for parent in pathlib.PurePosixPath(name).parents}
    for name in sorted(name for name in known if name.endswith(".md")):
        file = root / name
        text = FENCE.sub("", file.read_text(encoding="utf-8"))
        links = [one or other for one, other in LINK.findall(text)] + SOURCE.findall(text)
        for link in links:
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            if root not in [target, *target.parents]:
                yield f"{name}: {link} leads out of the repository"
                continue
            inside = pathlib.PurePosixPath(target.relative_to(root).as_posix())
            if str(inside) not in known and inside not in folders:
                yield f"{name}: {link} leads nowhere"
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
                yield f"{name}: {link}: there is no such heading"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    # What is new and not yet known to git counts, what it ignores does not.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True
    )
    known = {name for name in listed.stdout.split("\0") if name and (root / name).exists()}
    found = list(faults(root, known))
    print("\n".join(found) if found else f"the links of {sum(name.endswith('.md') for name in known)} documents lead somewhere")
    return bool(found) or not known


if __name__ == "__main__":
    sys.exit(main())
