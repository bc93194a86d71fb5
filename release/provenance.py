"""Fills release/provenance.json and writes it to standard output: an in-toto statement v1 with SLSA provenance v1.

    provenance.py BASE REVISION IMAGE STARTED FINISHED FILE…

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


def image_id(image):
    words = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip().removeprefix("sha256:")


def subjects(image, files):
    found = [{"name": pathlib.Path(path).name, "digest": {"sha256": digest(path)}} for path in files]
    return [*found, {"name": f"image {image}", "digest": {"sha256": image_id(image)}}]


def main():
    base, revision, image, started, finished, *files = sys.argv[1:]
    statement = json.loads((ROOT / "release/provenance.json").read_text())
    statement["subject"] = subjects(image, files)
    definition, run = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    definition["externalParameters"] |= {"revision": revision, "buildArguments": {"RUST_IMAGE": base}}
    source, base_image, lock = definition["resolvedDependencies"]
    source["digest"]["gitCommit"] = revision
    base_image |= {"uri": f"pkg:docker/{base}", "digest": {"sha256": base.rpartition("sha256:")[2]}}
    lock["digest"]["sha256"] = digest(ROOT / "Cargo.lock")
    run["builder"]["id"] = os.environ.get("RELEASE_BUILDER", "urn:glassine:builder:manual")
    run["metadata"] |= {"invocationId": f"urn:uuid:{uuid.uuid4()}", "startedOn": started, "finishedOn": finished}
    json.dump(statement, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
