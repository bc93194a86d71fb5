"""Claims about the image of another architecture. QEMU runs its program.

QEMU is mounted into the container, and starts the program there. So the machine's kernel needs no setting.
"""

from docker import Container, docker
from running import requires_demo

QEMU = "/usr/bin/qemu-aarch64-static"
PROGRAM = "/usr/local/bin/glassine"


def words(stage):
    mount = [f"--volume={QEMU}:/qemu:ro", "--entrypoint=/qemu"]
    return ["--platform=linux/arm64", f"--network=container:{stage.network}", "--no-healthcheck", *mount, stage.image, PROGRAM]


def run_once(stage, *command):
    return docker("run", "--rm", *words(stage), *command)


def the_version(stage):
    """`--version` prints the version."""
    printed = run_once(stage, "--version").out.strip()
    assert printed == f"glassine {stage.image.split(':')[1].split('-')[0]}", printed
    return f"{printed};"


def the_rules_of_the_image(stage):
    """`check` accepts the rules that the image has, and refuses a file that is none."""
    run_once(stage, "check", "/etc/glassine/rules/outlook-mail-metadata-only.yaml")
    refused = docker("run", "--rm", *words(stage), "check", "/etc/passwd", check=False)
    assert refused.code == 1 and "/etc/passwd" in refused.errors, f"{refused.code}: {refused.errors}"


def the_demo(stage):
    """`demo` sanitizes a page, is ready, and ends at SIGTERM with exit code 0."""
    with Container(*words(stage), "demo") as container:
        requires_demo(container, lambda: docker("exec", container.id, "/qemu", PROGRAM, "health", "--admin", "127.0.0.1:9901"))


CLAIMS = [the_version, the_rules_of_the_image, the_demo]
