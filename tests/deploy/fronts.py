"""The proxies in front of several replicas: deploy/haproxy.cfg, and the nginx block of docs/DEPLOYING.md."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from rendering import ROOT, output

sys.path.insert(0, str(ROOT / "tests/chaos"))
from replicas import Place, Set, listens, replace, wait  # noqa: E402

DOCUMENT = (ROOT / "docs/DEPLOYING.md").read_text()
HOST = "graph-proxy.contoso.example"
REPLICAS = 3
# The consumer's address. The front's own is 127.0.0.1.
CONSUMER = "127.0.0.2"
# A request target of nearly 24 KiB, the longest that the proxy takes, and a token of 6 KiB: more than the 8 KiB of many fronts.
LONG_LINK, LONG_HEADER = 24_000, 6_000


class Replicas(Set):
    """Replicas that trust the front's X-Forwarded-For. Nothing is in front of them yet."""

    def start(self):
        self.graph = self.place.start_graph()
        for replica in self.replicas:
            (replica.folder / "keys.yaml").write_bytes((self.place.folder / "keys.yaml").read_bytes())
            replica.configure(public=self.public, limits=self.limits, graph=self.graph, hash=self.hash)
            with (replica.folder / "config.yaml").open("a") as config:
                config.write("trusted_proxies: [127.0.0.1]\n")
            replica.start()
        wait("all replicas are ready", lambda: all(it.is_ready() for it in self.replicas))

    def request(self, path, method="GET", body=None, **headers):
        """Status and body of a response through the front."""
        source = (CONSUMER, 0)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=20, source_address=source)
        headers |= {"Authorization": f"Bearer {self.bearer}"}
        connection.request(method, path, body=body, headers={name.replace("_", "-"): it for name, it in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()

    def served(self):
        """How many requests each replica has recorded, by its name."""
        return {it.name: sum(records(file) for file in it.audit_files()) for it in self.replicas}

    def who_serves(self, path):
        before = self.served()
        status, body = self.request(path)
        assert status == 200, (path, status, body[:200])
        wait("the record of the request", lambda: self.served() != before)
        return next(name for name, count in self.served().items() if count != before[name])


def records(file):
    return sum(b'"endpoint"' in line for line in file.read_bytes().splitlines())


def in_front(start):
    """Replicas, and what `start` puts in front of them."""

    def run(check):
        glassine = os.path.abspath(os.environ["GLASSINE_BIN"])
        with tempfile.TemporaryDirectory() as folder, Place(Path(folder), glassine) as place:
            replicas = Replicas.balanced(place, REPLICAS, "lame_duck_seconds: 0, drain_seconds: 2")
            replicas.start()
            log = place.folder / "front.log"
            start(place, replicas)
            try:
                wait("the front listens", lambda: listens(replicas.port))
                check(replicas)
            except BaseException:
                sys.stderr.write(log.read_text()[-2000:])
                raise

    return run


def consumers_pem(place):
    pem = place.folder / "consumers.pem"
    pem.write_text("".join((place.folder / f"replica-1-0.{kind}").read_text() for kind in ("crt", "key")))
    return pem


def start_haproxy(place, replicas):
    text = (ROOT / "deploy/haproxy.cfg").read_text()
    text = replaced(text, "0.0.0.0:443", f"127.0.0.1:{replicas.port}")
    text = replaced(text, "/etc/haproxy/consumers.pem", str(consumers_pem(place)))
    text = replaced(text, "/etc/haproxy/replicas-ca.pem", str(place.folder / "ca.pem"))
    text = replaced(text, f"verifyhost {HOST}", "verifyhost localhost")
    text = replaced(text, "inter 2s fall 1 rise 2", "inter 100ms fall 1 rise 1")
    for number, it in enumerate(replicas.replicas, 1):
        text = replaced(text, f"10.0.0.1{number}:8443 track", f"127.0.0.1:{it.port} track")
        text = replaced(text, f"10.0.0.1{number}:8443", f"127.0.0.1:{it.port} port {it.admin}")
    config = place.folder / "haproxy.cfg"
    config.write_text(text)
    place.spawn("front.log", ["haproxy", "-db", "-f", config])


def check_haproxy_by_name(place):
    """The sections of docs/DEPLOYING.md for Kubernetes, in the place of the file's backends. Read only: here is no cluster."""
    [block] = re.findall(r"```haproxy\n(.*?)```", DOCUMENT, re.S)
    text = (ROOT / "deploy/haproxy.cfg").read_text().split("\nbackend by_mailbox")[0] + "\n" + block
    text = replaced(text, "/etc/haproxy/consumers.pem", str(consumers_pem(place)))
    text = replaced(text, "/etc/haproxy/replicas-ca.pem", str(place.folder / "ca.pem"))
    config = place.folder / "by-name.cfg"
    config.write_text(text)
    output("haproxy", "-c", "-f", config)
    print("ok: HAProxy reads the sections for Kubernetes")


def start_nginx(place, replicas):
    [block] = re.findall(r"```nginx\n(.*?)```", DOCUMENT, re.S)
    pem = consumers_pem(place)
    text = replaced(block, "listen 443 ssl", f"listen 127.0.0.1:{replicas.port} ssl")
    text = replaced(text, "/etc/nginx/consumers.crt", str(pem))
    text = replaced(text, "/etc/nginx/consumers.key", str(pem))
    text = replaced(text, "/etc/nginx/replicas-ca.pem", str(place.folder / "ca.pem"))
    text = replaced(text, f"proxy_ssl_name {HOST}", "proxy_ssl_name localhost")
    for number, it in enumerate(replicas.replicas, 1):
        text = replaced(text, f"10.0.0.1{number}:8443", f"127.0.0.1:{it.port}")
    config = place.folder / "nginx.conf"
    temporary = "".join(f"{name}_temp_path {place.folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(
        f"user root;\nworker_processes 2;\ndaemon off;\npid {place.folder}/nginx.pid;\nerror_log {place.folder}/front.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{text}\n}}\n"
    )
    place.spawn("front.log", ["nginx", "-c", config, "-p", place.folder])


def replaced(text, old, new):
    assert old in text, f"{old!r} is not there"
    return text.replace(old, new)


def mailboxes(replicas):
    status, body = replicas.request("/v1.0/users?$select=id&$top=30")
    assert status == 200, (status, body[:200])
    return [it["id"] for it in json.loads(body)["value"]][:24]


def forms(id):
    """Requests for one mailbox, as consumers spell them."""
    encoded = id.replace("~", "%7E")
    return [f"/v1.0/users/{id}/messages?$top=1", f"/v1.0/users('{id}')/messages?$top=1", f"/v1.0/users/{encoded}/messages?$top=2"]


def check_shares(replicas):
    """Requests for one mailbox go to one replica. When a replica dies, only its mailboxes move."""
    ids = mailboxes(replicas)
    before = {id: replicas.who_serves(forms(id)[0]) for id in ids}
    for id in ids[:6]:
        served = {replicas.who_serves(form) for form in forms(id)}
        assert served == {before[id]}, f"{before[id]} and {served} serve one mailbox"
    assert len(set(before.values())) == REPLICAS, f"some replica serves nobody: {before}"
    victim = replicas.replicas[0]
    victim.signal(signal.SIGKILL)
    victim.process.wait()
    after = {id: replicas.who_serves(forms(id)[0]) for id in ids}
    moved = [id for id in ids if before[id] != after[id]]
    assert moved == [id for id in ids if before[id] == victim.name], "mailboxes of other replicas moved too"
    print(f"ok: {len(ids)} mailboxes on {REPLICAS} replicas; {len(moved)} moved when their replica died, no others")


def check_passes(replicas):
    """What a front can break: long heads, batches, the consumer's address, pages that begin before they end."""
    status, body = replicas.request("/v1.0/users?$skiptoken=" + "x" * LONG_LINK, X_Token="x" * LONG_HEADER)
    # Only the proxy knows that it did not make this link.
    assert b'"resyncRequired"' in body and status == 410, f"a long head: {status} {body[:200]}"
    batch = json.dumps({"requests": [{"id": "1", "method": "GET", "url": "/users?$top=1"}]})
    status, body = replicas.request("/v1.0/$batch", "POST", batch, Content_Type="application/json")
    assert status == 200 and json.loads(body)["responses"][0]["status"] == 200, (status, body[:200])
    print("ok: a request head of 30,000 bytes and a batch pass")


def check_http10(replicas):
    """Without the line, nginx speaks HTTP/1.0 to the replicas."""
    config = replicas.place.folder / "nginx.conf"
    config.write_text(replaced(config.read_text(), "proxy_http_version 1.1;", ""))
    subprocess.run(["nginx", "-c", config, "-p", replicas.place.folder, "-s", "reload"], check=True, capture_output=True)
    wait("nginx speaks HTTP/1.0", lambda: replicas.request("/v1.0/users?$top=1")[0] == 505)
    print("ok: without proxy_http_version 1.1, nginx gets 505")


def check_addresses(replicas):
    """The proxy sees the consumer's address, not the front's, and not one that the consumer writes itself."""
    for allowed, status in ((CONSUMER, 200), ("203.0.113.7", 403)):
        for it in replicas.replicas:
            config = it.folder / "config.yaml"
            text = re.sub(r"    allow_from: .*\n", "", config.read_text())
            replace(config, replaced(text, "    limits: {", f"    allow_from: [{allowed}]\n    limits: {{"))
            it.signal(signal.SIGHUP)
        # Each page may come from another replica, and each replica reloads at its own moment.
        asked = lambda: [replicas.request("/v1.0/users?$top=1", X_Forwarded_For="203.0.113.7")[0] for _ in range(2 * REPLICAS)]  # noqa: E731
        wait(f"allow_from: [{allowed}] is followed", lambda: asked() == [status] * (2 * REPLICAS))
    for it in replicas.replicas:
        config = it.folder / "config.yaml"
        replace(config, re.sub(r"    allow_from: .*\n", "", config.read_text()))
        it.signal(signal.SIGHUP)
    wait("all are served again", lambda: asked() == [200] * (2 * REPLICAS))
    print("ok: allow_from sees the consumer's address, whatever X-Forwarded-For it sends")


def check():
    def haproxy(replicas):
        check_haproxy_by_name(replicas.place)
        check_passes(replicas)
        check_addresses(replicas)
        check_shares(replicas)

    def nginx(replicas):
        check_passes(replicas)
        check_addresses(replicas)
        check_shares(replicas)
        check_http10(replicas)

    print("HAProxy:")
    in_front(start_haproxy)(haproxy)
    print("nginx:")
    in_front(start_nginx)(nginx)
