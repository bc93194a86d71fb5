"""Compares all files of two images: `files.py IMAGE IMAGE`. Their content, modes and owners must be the same."""

import hashlib
import sys

from contents import files

# Docker writes these into each container.
DOCKERS = {".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf"}


def digests(image):
    found = {}
    for name, (entry, content) in files(image).items():
        if name.rstrip("/") not in DOCKERS:
            found[name] = (hashlib.sha256(content).hexdigest(), entry.mode, entry.uid, entry.gid, entry.linkname)
    return found


def main():
    first, second = (digests(image) for image in sys.argv[1:])
    different = [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]
    for name in different:
        print(f"differs: {name}")
    print(f"{len(first)} files, {len(different)} differ; the program: sha256 {first['usr/local/bin/glassine'][0]}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
