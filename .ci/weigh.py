#!/usr/bin/env python3
"""Weighs ELF images of 32 bits: `weigh.py IMAGE` prints bytes of flash and of RAM; `weigh.py --without WORD… -- IMAGE…` fails if a symbol has such a word in it."""
import struct
import sys

ALLOC, NOBITS, SYMTAB, STRTAB = 0x2, 8, 2, 3


def sections(data):
    if data[:6] != b"\x7fELF\x01\x01":
        sys.exit("not a little-endian ELF image of 32 bits")
    offset, = struct.unpack_from("<I", data, 0x20)
    size, count, _ = struct.unpack_from("<HHH", data, 0x2E)
    for number in range(count):
        # name, type, flags, address, offset, size, link, …
        yield struct.unpack_from("<10I", data, offset + number * size)


def weigh(data):
    flash = ram = 0
    for _, kind, flags, address, _, size, *_ in sections(data):
        if not flags & ALLOC:
            continue
        in_ram = address >= 0x20000000
        ram += size if in_ram else 0
        # What is in RAM and has contents lies in flash too.
        flash += size if kind != NOBITS else 0
    return flash, ram


def symbols(data):
    table = list(sections(data))
    for _, kind, _, _, offset, size, link, *_ in table:
        if kind != SYMTAB:
            continue
        names = table[link]
        text = data[names[4]:names[4] + names[5]]
        for at in range(offset, offset + size, 16):
            start, = struct.unpack_from("<I", data, at)
            yield text[start:text.index(b"\0", start)].decode()


def main(arguments):
    if arguments[:1] != ["--without"]:
        for image in arguments:
            print(*weigh(open(image, "rb").read()))
        return
    end = arguments.index("--")
    words, images = arguments[1:end], arguments[end + 1:]
    for image in images:
        names = list(symbols(open(image, "rb").read()))
        if not any("main" in name for name in names):
            sys.exit(f"{image} has no symbols to look at")
        for name in names:
            for word in words:
                if word in name:
                    sys.exit(f"{image} has {name}")


main(sys.argv[1:])
