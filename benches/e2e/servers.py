"""The four programs that are measured."""

import http.client
import json
import ssl
import subprocess
from dataclasses import dataclass

from memory import HTTP1, HTTP2
from nginx import nginx_configuration
from pages import PAGES, USERS
from workspace import BUILT, PROXY_CORE, ROOT, free_port

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
limits: {{ connections: 2048 }}
audit: {{ file: audit-{port}.jsonl }}
"""


@dataclass(frozen=True)
class Response:
    body: bytes
    encoding: str | None


class Server:
    """One of the programs that are measured; has `name`, and starts when it is made."""

    sanitizes = False
    protocols = [HTTP1]

    def __init__(self, work, origin, tls=False, name=None):
        self.work, self.origin, self.tls = work, origin, tls
        self.name = name or self.name
        self.port = free_port()
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca = work.folder / "ca.pem"
        self.headers = {}
        self.paths = {}
        self.process = self.start()

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
        """Where a page is: a sanitizer gives users ids of its own, in the order of the origin's."""
        if page not in self.paths:
            users = json.loads(self.get(USERS).body)["value"]
            for each, user in zip(PAGES, users, strict=True):
                self.paths[each] = f"{USERS}/{user['id']}/messages?$top={each.messages}"
        return self.paths[page]


class Nginx(Server):
    """Forwards. It writes an access log, as it does by default and as Glassine writes its audit."""

    name = "nginx"

    def start(self):
        scheme, _, address = self.origin.base.partition("://")
        server = f"""\
  access_log {self.work.folder}/access-{self.port}.log;
  upstream origin {{ server {address}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096 {'ssl' if self.tls else ''};
    location / {{
      proxy_pass {scheme}://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # A page larger than its buffers waits for who asked; nginx would write it to disk.
      proxy_max_temp_file_size 0;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_trusted_certificate {self.ca};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
    }}
  }}"""
        return self.run("nginx", "-e", "stderr", "-c", nginx_configuration(self.work, self.port, server))


class Forwarder(Server):
    """hyper alone."""

    name = "hyper"

    def start(self):
        address = self.origin.base.partition("://")[2]
        return self.run(BUILT / "examples/forward", f"127.0.0.1:{self.port}", address)


class Node(Server):
    """A sanitizer as one would write it first."""

    name = "Node"
    sanitizes = True

    def start(self):
        self.headers = {"Authorization": "Bearer any"}
        origin_port = self.origin.base.rpartition(":")[2]
        return self.run("node", HERE / "sanitize.mjs", self.port, origin_port, environment={"BEARER": "any"})


class Glassine(Server):
    """With the shipped metadata-only rules, a bearer token, and its audit log in a file."""

    name = "Glassine"
    sanitizes = True
    protocols = [HTTP1, HTTP2]

    def start(self):
        folder, program = self.work.folder, BUILT / "glassine"
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
