"""The way of somebody who has Docker, this image and nothing else. Prints the seconds of each step.

    newcomer.py ROOT IMAGE ARCHIVE FOLDER

The commands are those of docs/OPERATIONS.md. Two things are not as on a newcomer's machine: nothing can be downloaded, so the image is loaded
from ARCHIVE; and the sample tenant stands for Microsoft's cloud. It runs in the daemon's network.
"""

import json
import pathlib
import re
import ssl
import subprocess
import sys
import time
import urllib.request

import yaml

from docker import Container, docker, inspect, run, until

TENANT = ["--listen", "127.0.0.1:8080", "--admin-listen", "127.0.0.1:9902", "--graph-listen", "127.0.0.1:8081"]
GRAPH = "http://127.0.0.1:8081"


class Newcomer:
    def __init__(self, root, image, archive, folder):
        self.image, self.archive, self.folder = image, archive, pathlib.Path(folder)
        self.text = (pathlib.Path(root) / "docs/OPERATIONS.md").read_text()
        self.made = self.folder / "glassine"

    def documented(self, pattern):
        """The words of a command in docs/OPERATIONS.md."""
        words = re.search(pattern, self.text, re.MULTILINE)[1].split()
        assert words[:2] == ["docker", "run"] and self.image in words, words
        return words[2:]

    def load(self):
        """`docker load`: the image of a release"""
        docker("load", "--input", self.archive)

    def demo(self):
        """`docker run … demo`, until a sanitized response has arrived"""
        with Container(*(word for word in self.documented(r"^(docker run .* demo)$") if word != "--rm")) as container:
            curl = until("the demo prints its requests", lambda: re.findall(r"^curl -s .*", container.logs(), re.MULTILINE))
            page = json.loads(run("sh", "-c", curl[1]).out)
            assert page["value"] and "subject" not in page["value"][0], page

    def init(self, tenant):
        """`docker run … init`: a configuration, keys, a token, a certificate"""
        words = [word.replace('"$PWD:/here"', f"{self.folder}:/here") for word in self.documented(r"`(docker run [^`]* init /here/glassine)`")]
        words[words.index("-it")] = "--interactive"
        answers = ["--tenant", tenant["tenant"], "--client-id", tenant["client_id"], "--public-url", "https://localhost:8443"]
        said = docker("run", *words, *answers).out
        self.token = re.search(r"glassine_[\w-]{43}", said)[0]

    def up(self, tenant):
        """`docker compose up`, until the container is healthy"""
        self.write_the_secret(tenant)
        run("docker-compose", "--file", str(self.made / "compose.yaml"), "up", "--detach")
        container = docker("ps", "--quiet", "--filter", "label=com.docker.compose.service=glassine").out.strip()
        until("the container is healthy", lambda: inspect("container", container)["State"]["Health"]["Status"] == "healthy")

    def write_the_secret(self, tenant):
        """And put the sample tenant in the cloud's place. There are no ports to publish: the container has the network of the host."""
        (self.made / "secrets/client-secret").write_text(tenant["secret"])
        config = self.made / "config.yaml"
        text = config.read_text()
        assert text.count("  cloud: ") == 1
        config.write_text(re.sub(r"^  cloud: .*$", f"  graph: {GRAPH}\n  authority: {GRAPH}", text, flags=re.MULTILINE))
        path = self.made / "compose.yaml"
        document = yaml.safe_load(path.read_text())
        del document["services"]["glassine"]["ports"]
        document["services"]["glassine"]["network_mode"] = "host"
        path.write_text(yaml.safe_dump(document))

    def ask(self):
        """A consumer's request over TLS, with the token that `init` printed"""
        context = ssl.create_default_context(cafile=str(self.made / "tls/tls.crt"))
        request = urllib.request.Request("https://localhost:8443/v1.0/users?$top=5", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30, context=context) as response:
            body = response.read().decode()
        assert '"id":"p~' in body and "displayName" not in body, body[:200]


def sample_tenant(container):
    """What an administrator would copy from Entra's portal."""
    until("the sample tenant listens", lambda: "curl -s" in container.logs())
    folder = next(line.split()[-1] for line in docker("diff", container.id).out.splitlines() if re.search(r"/glassine-demo-\w+$", line))
    config, secret = (copied(container, f"{folder}/{name}") for name in ("config.yaml", "client-secret"))
    upstream = yaml.safe_load(config)["upstream"]
    return {"tenant": upstream["tenant"], "client_id": upstream["client_id"], "secret": secret}


def copied(container, path):
    archive = subprocess.run(["docker", "cp", f"{container.id}:{path}", "-"], capture_output=True, check=True).stdout
    return subprocess.run(["tar", "--extract", "--to-stdout"], input=archive, capture_output=True, check=True).stdout.decode()


def timed(step, *words):
    began = time.monotonic()
    step(*words)
    seconds = time.monotonic() - began
    print(f"{seconds:6.1f} s  {step.__doc__}", flush=True)
    return seconds


def main():
    run("ip", "link", "set", "lo", "up")
    newcomer = Newcomer(*sys.argv[1:])
    seconds = timed(newcomer.load) + timed(newcomer.demo)
    print(f"{seconds:6.1f} s  to the first sanitized response")
    with Container("--network", "host", "--no-healthcheck", newcomer.image, "demo", *TENANT) as container:
        tenant = sample_tenant(container)
        seconds = timed(newcomer.init, tenant) + timed(newcomer.up, tenant) + timed(newcomer.ask)
    print(f"{seconds:6.1f} s  to a proxy of their own that is healthy and has responded")


if __name__ == "__main__":
    main()
