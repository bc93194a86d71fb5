"""Everything that tests/deploy/run checks, in order."""

import sys
import time

import fronts
import manifests


def main():
    began = time.monotonic()
    manifests.check(update="--update" in sys.argv)
    fronts.check()
    print(f"all of deploy/ passed in {time.monotonic() - began:.0f} s")


main()
