"""What docs/OPERATIONS.md says about the image, each claim as a function. The first one that does not hold ends the program.

    claims.py ROOT IMAGE NETWORK WORK

Of an image for another architecture than the machine's, QEMU runs the program, and fewer claims are checked. It runs in the network of the container NETWORK: its loopback is that of all containers here. WORK is an empty folder.
"""

import pathlib
import sys
import time

import contents
import emulated
import running
from docker import docker, inspect


def main():
    root, image, network, work = sys.argv[1:]
    stage = running.Stage(pathlib.Path(root), image, network, pathlib.Path(work))
    native = docker("version", "--format", "{{.Server.Arch}}").out.strip()
    is_native = inspect("image", image)["Architecture"] == native
    for claim in contents.CLAIMS + (running if is_native else emulated).CLAIMS:
        began = time.monotonic()
        said = claim(stage)
        print(f"ok: {claim.__doc__.splitlines()[0]}{f' {said}' if said else ''} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
