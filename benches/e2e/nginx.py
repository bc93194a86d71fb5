"""The parts of nginx's configuration that the origin and the forwarder share."""

import os

# nginx must not close a connection during a measurement.
NGINX = """\
{user}
daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/nginx-{port}.pid;
events {{ worker_connections 4096; }}
http {{
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  ssl_certificate {folder}/tls.crt;
  ssl_certificate_key {folder}/tls.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  client_body_temp_path {folder}/temp;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp;
  scgi_temp_path {folder}/temp;
{rest}
}}
"""


def nginx_configuration(work, port, rest):
    # The worker must be able to read the folder, which only this user can.
    user = "user root;" if os.geteuid() == 0 else ""
    return work.write(f"nginx-{port}.conf", NGINX.format(folder=work.folder, port=port, user=user, rest=rest))
