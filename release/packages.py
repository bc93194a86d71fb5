"""The packages of Cargo.lock that the program is made of, for every platform of deny.toml or for one."""

import functools
import json
import pathlib
import subprocess
import tomllib

# Docker's names of architectures, and Rust's of the platforms.
TARGETS = {"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def cargo(*words):
    return subprocess.run(["cargo", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def load(name):
    return tomllib.loads((ROOT / name).read_text())


@functools.cache
def linked(architecture=None):
    """The names and versions of what is linked into the program: without what only builds or tests it."""
    targets = [TARGETS[architecture]] if architecture else load("deny.toml")["graph"]["targets"]
    words = ["tree", "--locked", "--package", "glassine", "--edges", "normal,no-proc-macro", "--prefix", "none"]
    words += [word for target in targets for word in ("--target", target)]
    lines = [line.split() for line in cargo(*words, "--format", "{p}").splitlines() if line.strip()]
    return frozenset((name, version.removeprefix("v")) for name, version, *_ in lines)


@functools.cache
def metadata():
    return json.loads(cargo("metadata", "--locked", "--format-version", "1"))


def packages(architecture=None):
    """What `cargo metadata` knows of each linked package, by name and version."""
    found = [package for package in metadata()["packages"] if (package["name"], package["version"]) in linked(architecture)]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def expression(package):
    """The SPDX expression of the licence. `A/B` is the old way to write `A OR B`."""
    return " OR ".join(part.strip() for part in package["license"].split("/"))
