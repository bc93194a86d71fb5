"""Checks the dependencies that are built against deny.toml: bans, licences, duplicates and sources.

For machines without cargo-deny. Cargo.lock also names packages that no chosen feature builds, so `cargo tree` is asked.
"""

import re
import subprocess
import sys
import tomllib


def built(targets):
    """Every (name, version, source, licence) that is built for one of the targets."""
    command = ["cargo", "tree", "--locked", "--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}|{l}"]
    for target in targets:
        command += ["--target", target]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in sorted(set(line.removesuffix(" (*)") for line in lines if line.strip())):
        package, _, licence = line.partition("|")
        name, version, *rest = package.split()
        yield name, version.removeprefix("v"), " ".join(rest), licence.removesuffix(" (*)")


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences. `A/B` is the old way to write `A OR B`."""
    tokens = re.findall(r"\(|\)|[^\s()/]+(?: WITH [^\s()/]+)?|/", expression)
    words = {"(": "(", ")": ")", "AND": "and", "OR": "or", "/": "or"}
    python = " ".join(words.get(token) or str(token in allowed) for token in tokens)
    return bool(tokens) and eval(python, {"__builtins__": {}})


def findings(deny):
    banned = {entry["crate"]: entry["reason"] for entry in deny["bans"]["deny"]}
    skipped = {entry["crate"] for entry in deny["bans"]["skip"]}
    allowed = set(deny["licenses"]["allow"])
    versions = {}
    for name, version, source, licence in built(deny["graph"]["targets"]):
        if name in banned:
            yield f"{name} {version} is banned: {banned[name]}"
        if not is_allowed(licence, allowed):
            yield f"{name} {version} has a licence that is not allowed: {licence!r}"
        if "(http" in source or "(git" in source:
            yield f"{name} {version} does not come from the registry"
        if f"{name}@{version}" not in skipped:
            versions.setdefault(name, []).append(version)
    for name, several in versions.items():
        if len(several) > 1:
            yield f"{name} is built in several versions: {', '.join(several)}"


def main():
    with open("deny.toml", "rb") as file:
        deny = tomllib.load(file)
    found = list(findings(deny))
    for finding in found:
        print(finding)
    count = sum(1 for _ in built(deny["graph"]["targets"]))
    print(f"{count} packages: {len(found)} findings (bans, licences, duplicates, sources; no advisories)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
