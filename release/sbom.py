"""Writes the bill of materials of the program for one architecture to standard output, as CycloneDX 1.6: `sbom.py ARCHITECTURE`.

The same Cargo.lock always gives the same bytes: it has no time, and its serial number is made of its content.
"""

import json
import sys
import uuid

from packages import TARGETS, expression, linked, load, metadata, packages

TYPES = {"repository": "vcs", "homepage": "website", "documentation": "documentation"}


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    made = {
        "type": "application" if package["name"] == "glassine" else "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": expression(package)}],
        "purl": reference(package),
    }
    if package["description"]:
        made["description"] = " ".join(package["description"].split())
    if checksum := checksums.get((package["name"], package["version"])):
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    links = [{"type": kind, "url": package[key]} for key, kind in TYPES.items() if (package[key] or "").startswith("http")]
    return made | ({"externalReferences": links} if links else {})


def dependencies(known):
    """For each package the packages that it is linked with."""
    for node in metadata()["resolve"]["nodes"]:
        if node["id"] in known:
            normal = [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
            yield {"ref": known[node["id"]], "dependsOn": sorted({known[it] for it in normal if it in known})}


def bill(architecture):
    checksums = {(it["name"], it["version"]): it.get("checksum") for it in load("Cargo.lock")["package"]}
    found = packages(architecture)
    application, = (component(package, checksums) for package in found if package["name"] == "glassine")
    target = {"name": "cdx:rustc:sbom:target:triple", "value": TARGETS[architecture]}
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": application, "lifecycles": [{"phase": "build"}], "properties": [target]},
        "components": [component(package, checksums) for package in found if package["name"] != "glassine"],
        "dependencies": sorted(dependencies({it["id"]: reference(it) for it in found}), key=lambda it: it["ref"]),
    }
    assert len(made["components"]) + 1 == len(linked(architecture)), "a package of the lock file is missing"
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(made, sort_keys=True))
    return made | {"serialNumber": f"urn:uuid:{serial}"}


if __name__ == "__main__":
    json.dump(bill(*sys.argv[1:]), sys.stdout, indent=2)
    print()
