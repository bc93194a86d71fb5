"""Claims about the files of the image and what the image says of itself."""

import hashlib
import io
import json
import pathlib
import re
import struct
import subprocess
import tarfile
import tomllib
import zlib

from docker import docker, inspect

SHELLS = {"sh", "bash", "dash", "ash", "busybox", "zsh"}
PACKAGE_MANAGERS = {"apt", "apt-get", "dpkg", "apk", "rpm", "microdnf"}
ELF = b"\x7fELF"
# Docker's names of architectures, and ELF's numbers of their machines.
MACHINES = {"amd64": 62, "arm64": 183}


def files(image):
    """Each file of an image: its entry in the archive, and its content if it is a regular file."""
    name = docker("create", image).out.strip()
    exported = subprocess.run(["docker", "export", name], capture_output=True, check=True).stdout
    docker("rm", "--volumes", name)
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        return {entry.name: (entry, archive.extractfile(entry).read() if entry.isreg() else b"") for entry in archive}


def nothing_but_the_program_can_run(stage):
    """The image has one program and its libraries, no shell, no package manager, no setuid file."""
    stage.files = files(stage.image)
    names = {name.rsplit("/", 1)[-1] for name, (entry, _) in stage.files.items() if not entry.isdir()}
    assert names.isdisjoint(SHELLS | PACKAGE_MANAGERS), names & (SHELLS | PACKAGE_MANAGERS)
    programs = [name for name, (_, content) in stage.files.items() if content.startswith(ELF)]
    foreign = [name for name in programs if name != "usr/local/bin/glassine" and not re.search(r"\.so(\.\d+)*$", name)]
    assert "usr/local/bin/glassine" in programs and not foreign, foreign
    privileged = [name for name, (entry, _) in stage.files.items() if entry.mode & 0o6000]
    assert not privileged, privileged
    scripts = [name for name, (_, content) in stage.files.items() if content.startswith(b"#!")]
    assert not scripts, scripts
    return f"{', '.join(sorted(programs))};"


def one_architecture(stage):
    """The program, its libraries and the packages that scanners find are of the architecture that the image names."""
    name = inspect("image", stage.image)["Architecture"]
    machines = {path: struct.unpack_from("<H", content, 0x12)[0] for path, (_, content) in stage.files.items() if content.startswith(ELF)}
    assert set(machines.values()) == {MACHINES[name]}, machines
    package = stage.files["var/lib/dpkg/status.d/libc6"][1].decode()
    assert f"\nArchitecture: {name}\n" in package, package
    return f"{name};"


def no_keys_and_no_foreign_roots(stage):
    """The image has no keys, and trusts no root that only the building machine trusts."""
    secret = [name for name in stage.files if re.search(r"keys.*\.yaml$|\.key$|\.pem$|cases", name)]
    assert not secret, secret
    bundle = stage.files["etc/ssl/certs/ca-certificates.crt"][1].decode()
    count = bundle.count("BEGIN CERTIFICATE")
    assert count > 100, f"{count} roots"
    for path in pathlib.Path("/usr/local/share/ca-certificates").rglob("*.crt"):
        body = path.read_text().split("-----")[2].strip()
        assert body not in bundle, f"{path} of the building machine"
    return f"{count} roots;"


def only_its_own_folder_is_writable(stage):
    """Uid 65532 owns its state folder and nothing else; only /tmp is open to all."""
    docker_own = {"dev", "etc/hostname", "etc/hosts", "etc/resolv.conf", "proc", "sys", ".dockerenv"}
    for name, (entry, _) in stage.files.items():
        if name.split("/")[0] in docker_own or name in docker_own or entry.issym():
            continue
        owned = name.rstrip("/").startswith("var/lib/glassine")
        assert (entry.uid, entry.gid) == ((65532, 65532) if owned else (0, 0)), f"{name}: {entry.uid}:{entry.gid}"
        assert name == "tmp" or not entry.mode & 0o022, f"{name}: {entry.mode:o}"
    entry = stage.files["var/lib/glassine"][0]
    assert entry.mode & 0o777 == 0o700, f"{entry.mode:o}"
    assert stage.files["tmp"][0].mode & 0o7777 == 0o1777


def labels_user_and_health_check(stage):
    """The image names its version, commit and licence, its user and its health check."""
    config = inspect("image", stage.image)["Config"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    package = tomllib.loads((stage.root / "Cargo.toml").read_text())["package"]
    assert labels["version"] == package["version"] and labels["licenses"] == package["license"], labels
    assert labels["description"] == package["description"] and labels["title"] and labels["revision"], labels
    assert config["User"] == "65532:65532" and config["Healthcheck"]["Test"][1].endswith("/glassine"), config
    return f"revision {labels['revision'][:12]};"


def its_size(stage):
    """Size and layers are those that docs/OPERATIONS.md states."""
    image = inspect("image", stage.image)
    size, layers, architecture = image["Size"], len(image["RootFS"]["Layers"]), image["Architecture"]
    program = len(stage.files["usr/local/bin/glassine"][1])
    text = (stage.root / "docs/OPERATIONS.md").read_text()
    row = rf"^\| size on {architecture} \| (\d+) MB, of which the program is (\d+) MB \|$"
    stated = *re.search(row, text, re.MULTILINE).groups(), re.search(r"^\| layers \| (\d+):", text, re.MULTILINE)[1]
    measured = (size / 1e6, program / 1e6, layers)
    assert all(abs(int(one) - other) < 1.5 for one, other in zip(stated, measured)), f"{stated} is stated, {measured} measured"
    return f"{size / 1e6:.1f} MB in {layers} layers, the program {program / 1e6:.1f} MB;"


def no_traces_of_the_building_machine(stage):
    """The program names no folder of the machine that built it."""
    program = stage.files["usr/local/bin/glassine"][1]
    homes = [b"/%s/" % name for name in (b"home", b"root/.rustup", b"root/.cargo")]
    for trace in [b"/usr/local/cargo", b"/usr/local/lib/rustlib", b"/build/", *homes]:
        assert trace not in program, trace
    return f"sha256 {hashlib.sha256(program).hexdigest()};"


def dependencies_are_in_the_program(stage):
    """The program carries the list of its dependencies, each with the version of Cargo.lock."""
    names = listed_packages(stage.files["usr/local/bin/glassine"][1])
    locked = tomllib.loads((stage.root / "Cargo.lock").read_text())["package"]
    locked = {(package["name"], package["version"]) for package in locked}
    assert names <= locked, names - locked
    assert {"glassine", "glassine-core", "rustls", "aws-lc-sys"} <= {name for name, _ in names}
    return f"{len(names)} packages;"


def listed_packages(program):
    """The names and versions that cargo-auditable wrote into a program."""
    listed = json.loads(zlib.decompress(section(program, b".dep-v0")))["packages"]
    return {(package["name"], package["version"]) for package in listed}


def section(program, name):
    """A section of an ELF file of 64 bits, little endian."""
    table, = struct.unpack_from("<Q", program, 0x28)
    size, count, names = struct.unpack_from("<HHH", program, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", program, table + n * size) for n in range(count)]
    start = headers[names][4]
    for label, _, _, _, offset, length in headers:
        at = start + label
        if program[at : program.index(b"\0", at)] == name:
            return program[offset : offset + length]
    raise AssertionError(f"no section {name}")


def scanners_find_the_packages(stage):
    """Scanners of packages find those of the distribution that the image has."""
    found = {}
    for name, (entry, content) in stage.files.items():
        if name.startswith("var/lib/dpkg/status.d/") and entry.isreg():
            fields = dict(line.split(": ", 1) for line in content.decode().splitlines() if re.match(r"[A-Z][\w-]*: ", line))
            found[fields["Package"]] = fields["Version"]
    assert set(found) == {"libc6", "libgcc-s1", "tzdata", "ca-certificates"}, found
    return f"{', '.join(f'{name} {version}' for name, version in sorted(found.items()))};"


CLAIMS = [
    nothing_but_the_program_can_run,
    one_architecture,
    no_keys_and_no_foreign_roots,
    only_its_own_folder_is_writable,
    labels_user_and_health_check,
    its_size,
    no_traces_of_the_building_machine,
    dependencies_are_in_the_program,
    scanners_find_the_packages,
]
