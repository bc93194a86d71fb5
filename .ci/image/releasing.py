"""Runs the shell blocks of docs/RELEASING.md in a clone, and checks what they make.

    releasing.py CLONE BASES PYTHON

BASES is a file as release/bases, with a digest. PYTHON has the package cyclonedx-python-lib.
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
        counts[mark.split(":")[0]] += 1
        if mark.startswith("not run: "):
            continue
        ran = shell(clone, code) if mark == "refused" else shell(clone, code, RELEASE_BASES=bases)
        said = f"{code}{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
        if mark == "refused":
            assert ran.returncode == 1 and ran.stderr == text, said
        else:
            assert ran.returncode == 0, said
    assert counts["run"] >= 5 and counts["refused"] == 1, counts
    print(f"ok: docs/RELEASING.md: {', '.join(f'{count} blocks {what}' for what, count in counts.items())}")


def check_bill(out, python):
    path = next(out.glob("*.cdx.json"))
    subprocess.run([python, "-c", VALIDATE, path], check=True)
    bill = json.loads(path.read_text())
    references = {component["bom-ref"] for component in bill["components"]}
    ends = {end for edge in bill["dependencies"] for end in edge["dependsOn"]}
    assert ends == references, ends ^ references
    without = [it["name"] for it in bill["components"] if it["name"] != "glassine-core" and not it.get("hashes")]
    assert not without, f"no digest: {without}"
    listed = {f"pkg:cargo/{name}@{version}" for name, version in listed_packages((out / "glassine").read_bytes())}
    assert references <= listed, f"the program does not list {references - listed}"
    print(f"ok: the bill of materials is valid CycloneDX {bill['specVersion']}: {len(references)} components")


def check_provenance(out, revision):
    statement = json.loads(next(out.glob("*.provenance.json")).read_text())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    digests = {line.split()[1]: line.split()[0] for line in (out / "SHA256SUMS").read_text().splitlines()}
    subjects = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    files = {name: digest for name, digest in subjects.items() if not name.startswith("image ")}
    listed = {name: digest for name, digest in digests.items() if not name.endswith(".provenance.json")}
    assert files == listed, files.keys() ^ listed.keys()
    definition = statement["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"][0]["digest"]["gitCommit"] == revision
    assert '""' not in json.dumps(statement), "a field of the template is empty"
    print(f"ok: the provenance names {len(subjects)} subjects, commit {revision[:12]} and the base")


def main():
    clone, bases, python = sys.argv[1:]
    clone = pathlib.Path(clone)
    run_blocks(clone, bases)
    revision = shell(clone, "git rev-parse HEAD").stdout.strip()
    check_bill(clone / "out", python)
    check_provenance(clone / "out", revision)


if __name__ == "__main__":
    main()
