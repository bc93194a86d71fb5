"""Runs docker and docker-compose. The daemon is the one that DOCKER_HOST names."""

import json
import subprocess
import time

# Nothing here takes longer, on a busy machine too.
SECONDS = 60


class Ran:
    """What a program that has ended left behind."""

    def __init__(self, process):
        self.code, self.out, self.errors = process.returncode, process.stdout, process.stderr


def run(*words, check=True):
    ran = Ran(subprocess.run(words, capture_output=True, text=True, timeout=4 * SECONDS))
    assert not check or ran.code == 0, f"{' '.join(words[:4])} … ended with {ran.code}: {ran.out}{ran.errors}"
    return ran


def docker(*words, check=True):
    return run("docker", *words, check=check)


def inspect(what, name):
    return json.loads(docker(what, "inspect", name).out)[0]


def until(what, test):
    """Waits for a test. A test may raise ConnectionError or OSError as long as nothing listens."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            found = test()
        except OSError as error:
            found, what = None, f"{what} ({error})"
        if found:
            return found
        assert time.monotonic() < end, f"waited {SECONDS} s: {what}"
        time.sleep(0.2)


class Container:
    """A running container. It is removed at the end, with its volumes."""

    def __init__(self, *words):
        self.id = docker("run", "--detach", *words).out.strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, _error, _trace):
        if kind:
            print(self.logs())
        docker("rm", "--force", "--volumes", self.id, check=False)

    def logs(self):
        ran = docker("logs", self.id)
        return ran.out + ran.errors

    def pid(self):
        return inspect("container", self.id)["State"]["Pid"]

    def signal(self, name):
        docker("kill", "--signal", name, self.id)

    def wait(self):
        """The exit code."""
        return int(docker("wait", self.id).out)
