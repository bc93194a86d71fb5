"""The common parts of all measured programs, and the two sanitizers."""

import http.client
import json
import shutil
import ssl
import subprocess
from dataclasses import dataclass

from pages import PAGES, USERS
from workspace import BUILT, PROXY_CORE, ROOT, reserved_port

HERE = ROOT / "benches/e2e"
ANSWER_LIMIT = 30
GLASSINE = """\
listen: 127.0.0.1:{port}
public_url: {base}
{tls}
upstream: {{ graph: "{origin}", {ca} credential: {{ access_token_file: access-token }} }}
keys: {{ file: keys.yaml }}
tenant_domains: [contoso.com]
consumers:
  - name: bench
    rules: {rules}
    credential: {{ bearer_sha256: [{hash}] }}
    limits: {{ concurrent: 1024, requests_per_second: 100000 }}
limits: {{ connections: 2048, connections_per_address: 2048 }}
audit: {{ file: audit-{port}.jsonl }}
"""


@dataclass(frozen=True)
class Response:
    body: bytes
    encoding: str | None


class Server:
    """A measured program. It has a `name` and a `program`, and starts when it is constructed."""

    sanitizes = False

    def __init__(self, work, origin, tls=False):
        self.work, self.origin, self.tls = work, origin, tls
        self.port = reserved_port()
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca = work.folder / "ca.pem"
        self.headers = {}
        self.paths = {}
        self.process = self.start()

    @classmethod
    def is_installed(cls):
        return shutil.which(cls.program) is not None

    def run(self, *command, environment=None):
        return self.work.start(PROXY_CORE, command, self.port, environment)

    def get(self, path, headers=None):
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=ANSWER_LIMIT, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_LIMIT)
        connection.request("GET", path, headers=self.headers | {"Accept-Encoding": "identity"} | (headers or {}))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status != 200:
            raise SystemExit(f"{self.name}: {response.status} for {path}\n{body[:1000]}")
        return Response(body, response.getheader("Content-Encoding"))

    def path(self, page):
        """The path of a page. A sanitizer lists its own ids for users, in the same order as the origin."""
        if page not in self.paths:
            users = json.loads(self.get(USERS).body)["value"]
            for each, user in zip(PAGES, users, strict=True):
                self.paths[each] = f"{USERS}/{user['id']}/messages?$top={each.messages}"
        return self.paths[page]


class Node(Server):
    """A first attempt at a sanitizer, in Node."""

    name = "Node"
    program = "node"
    sanitizes = True

    def start(self):
        self.headers = {"Authorization": "Bearer any"}
        origin_port = self.origin.base.rpartition(":")[2]
        return self.run(self.program, HERE / "sanitize.mjs", self.port, origin_port, environment={"BEARER": "any"})


class Glassine(Server):
    """Glassine with the shipped metadata-only rules, a bearer token, and its audit log in a file."""

    name = "Glassine"
    program = BUILT / "glassine"
    sanitizes = True

    def start(self):
        folder, program = self.work.folder, self.program
        if not (folder / "keys.yaml").exists():
            subprocess.run([program, "keys", "new", "--out", folder / "keys.yaml"], check=True, capture_output=True)
            self.work.write("access-token", "any")
        made = subprocess.run([program, "token", "new", "--format", "json"], check=True, capture_output=True)
        token = json.loads(made.stdout)
        self.headers = {"Authorization": f"Bearer {token['token']}"}
        text = GLASSINE.format(
            port=self.port,
            base=self.base,
            origin=self.origin.base,
            tls="tls: { certificate_file: tls.crt, private_key_file: tls.key }" if self.tls else "",
            ca="ca_file: ca.pem," if self.origin.base.startswith("https:") else "",
            rules=ROOT / "rules/outlook-mail-metadata-only.yaml",
            hash=token["bearer_sha256"],
        )
        return self.run(program, "serve", "--config", self.work.write(f"glassine-{self.port}.yaml", text))
