"""What docs/OPERATIONS.md says about the image, each claim as a function. The first one that does not hold ends the program.

    claims.py ROOT IMAGE NETWORK WORK

It runs in the network of the container NETWORK: its loopback is that of all containers here. WORK is an empty folder.
"""

import pathlib
import sys
import time

import contents
import running


def main():
    root, image, network, work = sys.argv[1:]
    stage = running.Stage(pathlib.Path(root), image, network, pathlib.Path(work))
    for claim in contents.CLAIMS + running.CLAIMS:
        began = time.monotonic()
        said = claim(stage)
        print(f"ok: {claim.__doc__.splitlines()[0]}{f' {said}' if said else ''} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
