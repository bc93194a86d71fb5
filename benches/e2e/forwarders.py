"""Programs that forward and change nothing: how cheap can a proxy be?"""

import json

from nginx import nginx_configuration
from servers import Server
from workspace import BUILT, INSTALLED

# A page waits in memory for the client, not in the origin's socket.
LARGE_BUFFERS = "proxy_buffers 16 512k;"
HAPROXY = """\
global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend proxy
  bind 127.0.0.1:{port} backlog 4096 {listener_tls}
  default_backend origin
backend origin
  http-reuse always
  server origin {address} {origin_tls}
"""
# Envoy names a kind of configuration by its protobuf type.
TYPES = "type.googleapis.com/envoy.extensions"
MANAGER = f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{TYPES}.filters.http.router.v3.Router"
FILE_LOG = f"{TYPES}.access_loggers.file.v3.FileAccessLog"
LISTENER_TLS = f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext"
ORIGIN_TLS = f"{TYPES}.transport_sockets.tls.v3.UpstreamTlsContext"
HTTP_OPTIONS = f"{TYPES}.upstreams.http.v3.HttpProtocolOptions"


class Nginx(Server):
    """nginx with Debian's settings. It writes an access log, as Glassine writes its audit log."""

    name = "nginx"
    program = "nginx"
    buffers = ""

    def start(self):
        scheme, _, address = self.origin.base.partition("://")
        server = f"""\
  access_log {self.work.folder}/access-{self.port}.log;
  upstream origin {{ server {address}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096 {'ssl http2' if self.tls else ''};
    location / {{
      proxy_pass {scheme}://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      {self.buffers}
      # A page larger than the buffers waits for the client. Otherwise nginx writes it to disk.
      proxy_max_temp_file_size 0;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_trusted_certificate {self.ca};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
    }}
  }}"""
        return self.run(self.program, "-e", "stderr", "-c", nginx_configuration(self.work, self.port, server))


class LargeNginx(Nginx):
    name = "nginx, large buffers"
    buffers = LARGE_BUFFERS


class HAProxy(Server):
    name = "HAProxy"
    program = "haproxy"

    def start(self):
        text = HAPROXY.format(
            port=self.port,
            address=self.origin.address,
            listener_tls=f"ssl crt {self.pair()} alpn h2,http/1.1" if self.tls else "",
            origin_tls=f"ssl verify required verifyhost localhost ca-file {self.ca} alpn h2" if self.tls else "",
        )
        return self.run(self.program, "-db", "-f", self.work.write(f"haproxy-{self.port}.cfg", text))

    def pair(self):
        """HAProxy reads the certificate and its key from one file."""
        parts = [(self.work.folder / name).read_text() for name in ("tls.crt", "tls.key")]
        return self.work.write("tls.pem", "".join(parts))


class Envoy(Server):
    name = "Envoy"
    program = INSTALLED / "bin/envoy"

    def start(self):
        resources = {"listeners": [self.listener()], "clusters": [self.cluster()]}
        configuration = self.work.write(f"envoy-{self.port}.json", json.dumps({"static_resources": resources}))
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]
        return self.run(self.program, *options, "--config-path", configuration)

    def listener(self):
        chain = {"filters": [{"name": "http", "typed_config": self.manager()}]}
        if self.tls:
            pair = {"certificate_chain": self.file("tls.crt"), "private_key": self.file("tls.key")}
            common = {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [pair]}
            chain["transport_socket"] = tls_socket(LISTENER_TLS, common_tls_context=common)
        return {"address": socket_address(f"127.0.0.1:{self.port}"), "filter_chains": [chain]}

    def manager(self):
        log = {"@type": FILE_LOG, "path": f"{self.work.folder}/envoy-{self.port}.log"}
        everything = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}
        return {
            "@type": MANAGER,
            "stat_prefix": "proxy",
            "access_log": [{"name": "file", "typed_config": log}],
            "route_config": {"virtual_hosts": [{"name": "origin", "domains": ["*"], "routes": [everything]}]},
            "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
        }

    def cluster(self):
        endpoint = {"endpoint": {"address": socket_address(self.origin.address)}}
        cluster = {
            "name": "origin",
            "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }
        return cluster | (self.tls_to_origin() if self.tls else {})

    def tls_to_origin(self):
        common = {"alpn_protocols": ["h2"], "validation_context": {"trusted_ca": self.file("ca.pem")}}
        http2 = {"@type": HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}
        return {
            "transport_socket": tls_socket(ORIGIN_TLS, sni="localhost", common_tls_context=common),
            "typed_extension_protocol_options": {HTTP_OPTIONS.rpartition("/")[2]: http2},
        }

    def file(self, name):
        return {"filename": f"{self.work.folder}/{name}"}


class Hyper(Server):
    """The HTTP library that Glassine uses, and nothing else."""

    name = "hyper"
    program = BUILT / "forward"

    def start(self):
        files = [self.work.folder / name for name in ("tls.crt", "tls.key", "ca.pem")] if self.tls else []
        return self.run(self.program, f"127.0.0.1:{self.port}", self.origin.base, *files)


FORWARDERS = [Nginx, LargeNginx, HAProxy, Envoy, Hyper]


def tls_socket(kind, **context):
    return {"name": "tls", "typed_config": {"@type": kind} | context}


def socket_address(text):
    address, _, port = text.rpartition(":")
    return {"socket_address": {"address": address, "port_value": int(port)}}
