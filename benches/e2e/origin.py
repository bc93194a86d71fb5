"""The origin: nginx with the pages as files, the same for every query."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pages
from nginx import nginx_configuration
from workspace import OTHER_CORE, reserved_port

# The options of `listen` for each kind, and whether it sends gzip to clients that accept it.
KINDS = {"plain": ("", "off"), "gzip": ("", "on"), "tls": ("ssl http2", "off"), "tls_gzip": ("ssl http2", "on")}
SERVER = """\
  server {{
    listen 127.0.0.1:{port} {listen};
    gzip_static {packed};
    location = {users} {{ alias {folder}/users; }}
    location ~ ^{users}/([^/]+)/messages$ {{ alias {folder}/$1; }}
  }}"""


@dataclass(frozen=True)
class Origin:
    base: str
    # The folder with the pages, and the text of each.
    folder: Path
    text: dict

    @property
    def address(self):
        return self.base.partition("://")[2]


def start(work):
    """One origin of each kind. The links in a page lead to its origin, so each origin has its own pages."""
    make_certificates(work)
    origins, servers = {}, ["  access_log off;"]
    for kind, (listen, packed) in KINDS.items():
        port, folder = reserved_port(), work.folder / kind
        base = f"{'https' if listen else 'http'}://127.0.0.1:{port}"
        origins[kind] = Origin(base, folder, pages.make(folder, base))
        servers.append(SERVER.format(port=port, listen=listen, packed=packed, users=pages.USERS, folder=folder))
    configuration = nginx_configuration(work, port, "\n".join(servers))
    work.start(OTHER_CORE, ["nginx", "-e", "stderr", "-c", configuration], port)
    return origins


def make_certificates(work):
    """A certificate authority, and its certificate for this machine. Both are valid for a day."""
    subject = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    work.write("tls.ext", f"{subject}extendedKeyUsage=serverAuth\n")
    new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    authority = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
    openssl(work, f"req -x509 {new_key} -days 1 -subj /CN=authority {authority} -keyout ca.key -out ca.pem")
    openssl(work, f"req {new_key} -subj /CN=localhost -keyout tls.key -out tls.csr")
    openssl(work, "x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out tls.crt -extfile tls.ext")


def openssl(work, words):
    subprocess.run(["openssl", *words.split()], cwd=work.folder, check=True, capture_output=True)
