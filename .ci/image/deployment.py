"""A folder as an administrator makes it, with the image alone: keys, a token, a certificate, a configuration."""

import json
import os
import pathlib
import shutil
import ssl
import urllib.error
import urllib.request

import yaml

from docker import docker, run

USER = 65532
PORT = 8443
ADMIN = "127.0.0.1:9901"
GRAPH = "http://127.0.0.1:8081"

CONFIG = """\
listen: 127.0.0.1:{port}
public_url: https://localhost:{port}
tls: {{ certificate_file: tls/tls.crt, private_key_file: tls/tls.key }}
admin: {{ listen: '{admin}' }}
limits: {{ lame_duck_seconds: 0 }}
upstream: {{ graph: '{graph}', credential: {{ access_token_file: secrets/access-token }} }}
keys: {{ file: secrets/keys.yaml }}
tenant_domains: [tallgrass.example]
consumers:
  - name: claims
    rules: rules/outlook-mail-metadata-only.yaml
    credential: {{ bearer_sha256: [{digest}] }}
audit: {{ file: /var/lib/glassine/audit.jsonl }}
"""


class Deployment:
    """What is mounted at /etc/glassine."""

    def __init__(self, image, root, folder):
        self.image, self.root, self.folder = image, pathlib.Path(root), pathlib.Path(folder)
        for part in ["tls", "secrets", "rules"]:
            (self.folder / part).mkdir(parents=True)
        for rules in (self.root / "rules").glob("*.yaml"):
            shutil.copy(rules, self.folder / "rules")
        self.token, self.digest = self.new_token()
        self.make_certificate()
        self.own()
        self.in_image("keys", "new", "--out", "/etc/glassine/secrets/keys.yaml")
        self.write("secrets/access-token", "any")
        self.write("config.yaml", self.config(self.digest))

    def in_image(self, *words):
        """A command of the image, which may write into the folder."""
        mount = f"{self.folder}:/etc/glassine"
        return docker("run", "--rm", "--network", "none", "--volume", mount, self.image, *words).out

    def new_token(self):
        made = json.loads(docker("run", "--rm", "--network", "none", self.image, "token", "new", "--format", "json").out)
        return made["token"], made["bearer_sha256"]

    def config(self, digest, graph=GRAPH):
        return CONFIG.format(port=PORT, admin=ADMIN, graph=graph, digest=digest)

    def make_certificate(self):
        tls = self.folder / "tls"
        run(
            *"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost".split(),
            *["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
            *["-keyout", str(tls / "tls.key"), "-out", str(tls / "tls.crt")],
        )

    def write(self, name, text):
        """As an editor does: the file that is there afterwards is another one."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        os.chown(new, USER, USER)
        new.chmod(0o400)
        new.rename(self.folder / name)

    def own(self):
        """Everything is readable by the container's user and by nobody else."""
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, USER, USER, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o400)

    def ask(self, target, token=None):
        """A consumer's request: the status and the body."""
        context = ssl.create_default_context(cafile=str(self.folder / "tls/tls.crt"))
        headers = {"Authorization": f"Bearer {token or self.token}"}
        request = urllib.request.Request(f"https://localhost:{PORT}{target}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def service(root):
    """The service of the compose file."""
    return yaml.safe_load((pathlib.Path(root) / "deploy/docker-compose.yaml").read_text())["services"]["glassine"]


def hardening(service):
    """The compose file's limits as `docker run` takes them."""
    words = [f"--cap-drop={name}" for name in service["cap_drop"]]
    words += [f"--security-opt={option}" for option in service["security_opt"]]
    words += [f"--tmpfs={mount}" for mount in service["tmpfs"]]
    words += [f"--ulimit={name}={value}" for name, value in service["ulimits"].items()]
    words += [f"--memory={service['mem_limit']}", f"--pids-limit={service['pids_limit']}"]
    return words + ["--read-only"] * service["read_only"]
