"""Fills release/provenance.json and writes it to standard output: an in-toto statement v1 with SLSA provenance v1.

    provenance.py RUST_IMAGE DEBIAN_IMAGE REVISION IMAGE STARTED FINISHED FILE…

The subjects are the files and the image. Times are in RFC 3339. RELEASE_BUILDER is the URI of who builds.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import uuid

from packages import ROOT


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def inspect(image, template):
    words = ["docker", "image", "inspect", "--format", template, image]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def subjects(image, files):
    found = [{"name": pathlib.Path(path).name, "digest": {"sha256": digest(path)}} for path in files]
    return [*found, {"name": f"image {image}", "digest": {"sha256": inspect(image, "{{.Id}}").removeprefix("sha256:")}}]


def main():
    rust, debian, revision, image, started, finished, *files = sys.argv[1:]
    statement = json.loads((ROOT / "release/provenance.json").read_text())
    statement["subject"] = subjects(image, files)
    definition, run = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    arguments = {"RUST_IMAGE": rust, "DEBIAN_IMAGE": debian}
    platform = inspect(image, "{{.Os}}/{{.Architecture}}")
    definition["externalParameters"] |= {"revision": revision, "platform": platform, "buildArguments": arguments}
    source, *bases, lock = definition["resolvedDependencies"]
    source["digest"]["gitCommit"] = revision
    for base in bases:
        name = arguments[base["name"]]
        base |= {"uri": f"pkg:docker/{name}", "digest": {"sha256": name.rpartition("sha256:")[2]}}
    lock["digest"]["sha256"] = digest(ROOT / "Cargo.lock")
    run["builder"]["id"] = os.environ.get("RELEASE_BUILDER", "urn:glassine:builder:manual")
    run["metadata"] |= {"invocationId": f"urn:uuid:{uuid.uuid4()}", "startedOn": started, "finishedOn": finished}
    json.dump(statement, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
