"""Reads every member with zlib, libdeflate and ISA-L, whole and in pieces.

    read.py FILE        FILE as tests/codec/members.rs writes it
"""
import struct
import sys
import zlib

import deflate
from isal import igzip, isal_zlib

# A gzip head and trailer, and the greatest window.
GZIP = 16 + zlib.MAX_WBITS
PIECE = 1000


def members(path):
    with open(path, "rb") as file:
        data = file.read()
    at, parts = 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        parts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return list(zip(parts[0::3], parts[1::3], parts[2::3], strict=True))


def in_pieces(decoder, packed):
    plain = [decoder.decompress(packed[at : at + PIECE]) for at in range(0, len(packed), PIECE)]
    if not decoder.eof or decoder.unused_data:
        raise ValueError("does not end where the member ends")
    return b"".join(plain)


def libdeflate(packed, plain):
    # libdeflate needs to know how much room the text takes.
    return bytes(deflate.gzip_decompress(packed, len(plain)) if plain else deflate.gzip_decompress(packed))


DECODERS = {
    "zlib": lambda packed, plain: zlib.decompress(packed, GZIP),
    "zlib, in pieces": lambda packed, plain: in_pieces(zlib.decompressobj(GZIP), packed),
    "libdeflate": libdeflate,
    "ISA-L": lambda packed, plain: igzip.decompress(packed),
    "ISA-L, in pieces": lambda packed, plain: in_pieces(isal_zlib.decompressobj(GZIP), packed),
}


def main():
    wrong, read = 0, members(sys.argv[1])
    for name, decode in DECODERS.items():
        for member, plain, packed in read:
            try:
                same = decode(packed, plain) == plain
            except Exception as error:  # whatever a library raises
                same = f"{type(error).__name__}: {error}"
            if same is not True:
                print(f"{name} does not read {member.decode()}: {same or 'another text'}", file=sys.stderr)
                wrong += 1
        print(f"{name}: {len(read)} members")
    sys.exit(wrong > 0 or not read)


main()
