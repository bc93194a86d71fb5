"""Runs the shell blocks of docs/RELEASING.md in a clone, and checks what they make.

    releasing.py CLONE BASES PYTHON

BASES is a file as release/bases, with digests; BASES-arm64 is one for arm64, whose blocks are not run
without it. PYTHON has the package cyclonedx-python-lib.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from contents import listed_packages

# A comment before a block says that it is not run and why, or that it must fail with the text of the block after it.
BLOCK = re.compile(r"(?:<!-- (?P<mark>.*?) -->\n)?```sh\n(?P<code>.*?)```\n(?:\n```text\n(?P<text>.*?)```)?", re.DOTALL)

VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
"""


def shell(clone, code, **environment):
    words = ["bash", "-euo", "pipefail", "-c", code]
    return subprocess.run(words, cwd=clone, capture_output=True, text=True, env=os.environ | environment)


def run_blocks(clone, bases):
    counts = {"run": 0, "refused": 0, "not run": 0}
    for block in BLOCK.finditer((clone / "docs/RELEASING.md").read_text()):
        mark, code, text = block["mark"] or "run", block["code"], block["text"]
        # A registry's digest names the images of all platforms. Images that were made here have an id each.
        ids = f"{bases}-arm64" if re.search(r"release/build \w+ arm64$", code, re.MULTILINE) else bases
        mark = mark if os.path.exists(ids) else "not run: no base"
        counts[mark.split(":")[0]] += 1
        if mark.startswith("not run: "):
            continue
        ran = shell(clone, code) if mark == "refused" else shell(clone, code, RELEASE_BASES=ids)
        said = f"{code}{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
        if mark == "refused":
            assert ran.returncode == 1 and ran.stderr == text, said
        else:
            assert ran.returncode == 0, said
    assert counts["run"] >= 5 and counts["refused"] == 1, counts
    print(f"ok: docs/RELEASING.md: {', '.join(f'{count} blocks {what}' for what, count in counts.items())}")


def check_bill(path, python):
    """What is linked is in the bill, and what is in the bill is in the program's own list."""
    subprocess.run([python, "-c", VALIDATE, path], check=True)
    bill = json.loads(path.read_text())
    references = {component["bom-ref"] for component in bill["components"]}
    ends = {end for edge in bill["dependencies"] for end in edge["dependsOn"]}
    assert ends == references, ends ^ references
    without = [it["name"] for it in bill["components"] if it["name"] != "glassine-core" and not it.get("hashes")]
    assert not without, f"no digest: {without}"
    architecture = path.name.removesuffix(".cdx.json").rpartition("-")[2]
    program = (path.parent / f"glassine-{architecture}").read_bytes()
    listed = {f"pkg:cargo/{name}@{version}" for name, version in listed_packages(program)}
    assert references <= listed, f"the program does not list {references - listed}"
    print(f"ok: {path.name} is valid CycloneDX {bill['specVersion']}: {len(references)} components")


def check_provenances(out, revision):
    """Each file is a subject of a statement, with the digest that SHA256SUMS has."""
    digests = {line.split()[1]: line.split()[0] for line in (out / "SHA256SUMS").read_text().splitlines()}
    files = {}
    for path in sorted(out.glob("*.provenance.json")):
        statement = json.loads(path.read_text())
        assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
        files |= {it["name"]: it["digest"]["sha256"] for it in statement["subject"] if not it["name"].startswith("image ")}
        definition = statement["predicate"]["buildDefinition"]
        assert definition["resolvedDependencies"][0]["digest"]["gitCommit"] == revision
        assert path.name.endswith(f"{definition['externalParameters']['platform'].removeprefix('linux/')}.provenance.json")
        assert '""' not in json.dumps(statement), "a field of the template is empty"
        print(f"ok: {path.name} names {len(statement['subject'])} subjects, commit {revision[:12]} and the bases")
    listed = {name: digest for name, digest in digests.items() if not name.endswith(".provenance.json")}
    assert files == listed, files.keys() ^ listed.keys()


def main():
    clone, bases, python = sys.argv[1:]
    clone = pathlib.Path(clone)
    run_blocks(clone, bases)
    revision = shell(clone, "git rev-parse HEAD").stdout.strip()
    for path in sorted((clone / "out").glob("*.cdx.json")):
        check_bill(path, python)
    check_provenances(clone / "out", revision)


if __name__ == "__main__":
    main()
