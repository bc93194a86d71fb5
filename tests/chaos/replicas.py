"""Replicas of the proxy behind HAProxy, in front of the server that stands for Graph: their files, and how they start and end."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RULES = ROOT / "rules/outlook-mail-metadata-only.yaml"
CONSUMER = "acme"
START_LIMIT = 30
# The longest that a stop may take: it has to be below the 30 seconds that Kubernetes gives.
STOP_LIMIT = 30
# How many certificates each replica has, one after another.
CERTIFICATES = 3
# The keys of a test are seconds old.
RETIRE_OLDER_THAN = "1s"

CONFIG = """\
listen: 127.0.0.1:{port}
public_url: {public}
{tls}
admin: {{ listen: 127.0.0.1:{admin} }}
limits: {{ {limits} }}
upstream:
  graph: "{graph}"
  authority: "{graph}"
  tenant: contoso.com
  client_id: 11111111-2222-3333-4444-555555555555
  credential: {{ client_secret_file: secret }}
  timeouts: {{ connect_seconds: 2, response_seconds: 3, idle_seconds: 2 }}
keys: {{ file: keys.yaml }}
tenant_domains: [contoso.com]
consumers:
  - name: acme
    rules: rules.yaml
    credential: {{ bearer_sha256: [{hash}] }}
    limits: {{ concurrent: 5000, requests_per_second: 100000 }}
audit: {{ file: audit.jsonl }}
"""

HAPROXY = """\
global
  maxconn 8192
defaults
  mode tcp
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout check 1s
  retries 3
  option redispatch 1
frontend consumers
  bind 127.0.0.1:{port}
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 100ms fall 1 rise 1
{servers}
"""


# The sockets that reserve ports, until this program ends.
RESERVED = []


def reserved_port():
    """A port that nobody gets by chance, also while its server is down: the kernel gives the port of a socket that is bound to no
    connection and to nobody who asks for any port. With SO_REUSEADDR, which servers set, another program can listen on it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    RESERVED.append(held)
    return held.getsockname()[1]


def wait(what, condition, limit=START_LIMIT):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: did not happen within {limit} s")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def replace(path, text):
    """Puts a whole file in the place of another one, as a mounted secret is replaced."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.chmod(0o600)
    beside.rename(path)


class Place:
    """A folder, and every process that runs in it. All end with the block."""

    def __init__(self, folder, glassine):
        self.folder, self.glassine = folder, Path(glassine).resolve()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def spawn(self, log, command, environment=None):
        """Starts a program whose output goes behind what is in its log."""
        with open(self.folder / log, "ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | (environment or {}),
            )
        self.processes.append(process)
        return process

    def run(self, *words):
        done = subprocess.run([self.glassine, *words], capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise SystemExit(f"glassine {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
        return done.stdout

    def start_graph(self):
        port = reserved_port()
        self.spawn("graph.log", [sys.executable, HERE / "graph.py", port, self.folder / "faults.jsonl"])
        wait("Graph listens", lambda: listens(port))
        return f"http://127.0.0.1:{port}"

    def start_haproxy(self, port, replicas):
        servers = [f"  server {it.name} 127.0.0.1:{it.port} port {it.admin}" for it in replicas]
        file = self.folder / "haproxy.cfg"
        file.write_text(HAPROXY.format(port=port, servers="\n".join(servers)))
        self.spawn("haproxy.log", ["haproxy", "-db", "-f", file])
        wait("HAProxy listens", lambda: listens(port))


class Authority:
    """A certificate authority, and certificates for this machine."""

    def __init__(self, folder):
        self.folder = folder
        self.key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        constraints = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        self.openssl(f"req -x509 {self.key} -days 1 -subj /CN=authority {constraints} -keyout ca.key -out ca.pem")
        (folder / "tls.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")

    def openssl(self, words):
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name):
        self.openssl(f"req {self.key} -subj /CN=localhost -keyout {name}.key -out {name}.csr")
        self.openssl(
            f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out {name}.crt -extfile tls.ext"
        )
        crt, key = [(self.folder / f"{name}.{kind}").read_text() for kind in ("crt", "key")]
        return crt, key, hashlib.sha256(ssl.PEM_cert_to_DER_cert(crt)).hexdigest()

    def trust(self):
        return ssl.create_default_context(cafile=self.folder / "ca.pem")


class Replica:
    def __init__(self, place, name, certificates):
        self.place, self.name, self.certificates = place, name, certificates
        self.folder = place.folder / name
        self.folder.mkdir()
        self.port, self.admin = reserved_port(), reserved_port()
        self.generation = 0
        self.rotated = 0
        self.process = None
        # How far each file of the audit log has been read for its events, by inode, and the keys that they told of.
        self.read_to, self.keys = {}, ""

    def configure(self, **values):
        tls = "tls: { certificate_file: tls.crt, private_key_file: tls.key }" if self.certificates else ""
        if self.certificates:
            self.use_certificate(0)
        shutil.copy(RULES, self.folder / "rules.yaml")
        replace(self.folder / "secret", "canary-secret\n")
        replace(self.folder / "config.yaml", CONFIG.format(port=self.port, admin=self.admin, tls=tls, **values))

    def use_certificate(self, generation):
        crt, key, _ = self.certificates[generation]
        self.generation = generation
        replace(self.folder / "tls.key", key)
        replace(self.folder / "tls.crt", crt)

    def start(self):
        command = [self.place.glassine, "serve", "--config", self.folder / "config.yaml"]
        self.process = self.place.spawn(f"{self.name}.log", command)

    def signal(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def told(self):
        """What it said last, for people."""
        lines = (self.place.folder / f"{self.name}.log").read_text().splitlines()[-5:]
        return "\n".join([f"{self.name}, exit code {self.process.poll()}:", *lines])

    def is_ready(self):
        return self.get("/readyz") is not None

    def get(self, path):
        """The text of a page of the admin listener. None if the status is not 200, or nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=2) as response:
                return response.read().decode()
        except OSError:
            return None

    def metric(self, name):
        lines = (self.get("/metrics") or "").splitlines()
        return next((line.split(" ")[1] for line in lines if line.startswith(f"{name} ")), None)

    def audit_files(self):
        """The oldest first."""
        old = [self.folder / f"audit.jsonl.{n}" for n in range(self.rotated)]
        return [file for file in [*old, self.folder / "audit.jsonl"] if file.exists()]

    def rotate_audit(self):
        (self.folder / "audit.jsonl").rename(self.folder / f"audit.jsonl.{self.rotated}")
        self.rotated += 1
        self.signal(signal.SIGHUP)

    def served_keys(self):
        """The ids of the keys in the last start or reload that the audit log tells of, in their order."""
        for file in self.audit_files():
            with file.open("rb") as log:
                inode = os.fstat(log.fileno()).st_ino
                log.seek(self.read_to.get(inode, 0))
                whole = log.read().rpartition(b"\n")[0]
                self.read_to[inode] = self.read_to.get(inode, 0) + len(whole)
            for line in whole.split(b"\n"):
                if b'"event":"start"' in line or b'"event":"reload"' in line:
                    self.keys = "".join(key["id"] for key in json.loads(line)["keys"])
        return self.keys


class Set:
    """Replicas with one consumer, in front of one Graph."""

    def __init__(self, place, replicas, port, public, limits):
        self.place, self.replicas = place, replicas
        # Where the consumer connects, and what it calls the proxy.
        self.port, self.public = port, public
        self.limits = limits
        token = json.loads(place.run("token", "new", "--format", "json"))
        self.bearer, self.hash = token["token"], token["bearer_sha256"]
        place.run("keys", "new", "--out", "keys.yaml")

    @classmethod
    def alone(cls, place, limits):
        """One replica without TLS."""
        replica = Replica(place, "replica-1", [])
        return cls(place, [replica], replica.port, f"http://127.0.0.1:{replica.port}", limits)

    @classmethod
    def balanced(cls, place, count, limits):
        """Replicas with certificates of their own, so that a consumer knows which one it reached, and HAProxy in front."""
        authority = Authority(place.folder)
        names = [f"replica-{n}" for n in range(1, count + 1)]
        issued = {name: [authority.issue(f"{name}-{at}") for at in range(CERTIFICATES)] for name in names}
        port = reserved_port()
        replicas = [Replica(place, name, issued[name]) for name in names]
        self = cls(place, replicas, port, f"https://127.0.0.1:{port}", limits)
        self.trust = authority.trust()
        # Which replica has shown a certificate, by its digest.
        self.owners = {
            digest: (replica, at)
            for replica in replicas
            for at, (_, _, digest) in enumerate(replica.certificates)
        }
        return self

    def start(self):
        self.graph = self.place.start_graph()
        for replica in self.replicas:
            shutil.copy(self.place.folder / "keys.yaml", replica.folder)
            replica.configure(public=self.public, limits=self.limits, graph=self.graph, hash=self.hash)
            replica.start()
        try:
            wait("all replicas are ready, or one has ended", lambda: all(it.is_ready() or not it.is_running() for it in self.replicas))
            if not all(it.is_running() for it in self.replicas):
                raise SystemExit("a replica has ended")
        except SystemExit:
            for replica in self.replicas:
                print(replica.told(), file=sys.stderr)
            raise
        if self.port != self.replicas[0].port:
            self.place.start_haproxy(self.port, self.replicas)

    def owner(self, certificate):
        """The replica that has this certificate, and which of its certificates this is."""
        return self.owners[hashlib.sha256(certificate).hexdigest()]

    def weather(self, kind, seconds=0, share=0):
        body = json.dumps({"kind": kind, "seconds": seconds, "share": share}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.graph}/weather", body, method="POST")).read()

    def key_ids(self):
        """The ids of the keys, in their order."""
        listed = self.place.run("keys", "fingerprint", "keys.yaml")
        return "".join(line[0] for line in listed.splitlines())

    def change_keys(self, step):
        more = ["--older-than", RETIRE_OLDER_THAN] if step == "retire" else []
        (self.place.folder / "keys.next.yaml").unlink(missing_ok=True)
        self.place.run("keys", step, "keys.yaml", *more, "--out", "keys.next.yaml")
        (self.place.folder / "keys.next.yaml").rename(self.place.folder / "keys.yaml")

    def key_alone(self, id):
        """A file with one key of the ring."""
        head, *keys = re.split(r"(?m)^(?=  - )", (self.place.folder / "keys.yaml").read_text())
        only = self.place.folder / f"key-{id}.yaml"
        replace(only, head + next(key for key in keys if re.search(rf"id: .?{re.escape(id)}\b", key)))
        return only
