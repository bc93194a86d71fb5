"""How much memory connections take: with a page open on each, and with nothing at all."""

import socket
import ssl

from load import run_wrk

ANSWER_LIMIT = 30
# Enough for every connection to get a page or two.
OPEN_SECONDS = 12
HTTP1, HTTP2 = "HTTP/1.1", "HTTP/2"
ALPN = {HTTP1: "http/1.1", HTTP2: "h2"}
# The preface of RFC 9113, section 3.4, and an empty SETTINGS frame.
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def peak_of_open_pages(server, path, pages):
    """The most resident memory while so many pages are on their way all the time."""
    server.process.forget_peak()
    return run_wrk(server, path, pages, OPEN_SECONDS).peak


def idle_connections(server, count, protocol):
    """Resident memory while so many TLS connections, each of which was of use once, are silent."""
    context = ssl.create_default_context(cafile=server.ca)
    context.set_alpn_protocols([ALPN[protocol]])
    connections = [connect(server, context, protocol) for _ in range(count)]
    try:
        return server.process.resident("VmRSS")
    finally:
        for connection in connections:
            connection.close()


def connect(server, context, protocol):
    plain = socket.create_connection(("127.0.0.1", server.port), ANSWER_LIMIT)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    if connection.selected_alpn_protocol() not in (ALPN[protocol], None):
        raise SystemExit(f"{server.name}: speaks {connection.selected_alpn_protocol()} where {protocol} was asked for")
    if protocol == HTTP2:
        connection.sendall(HTTP2_PREFACE)
        require(server, connection.recv(4096)[3:4] == b"\x04", "does not answer the preface with settings")
    else:
        lines = [f"{name}: {value}\r\n" for name, value in server.headers.items()]
        connection.sendall(f"GET /v1.0/users HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{''.join(lines)}\r\n".encode())
        require(server, connection.recv(64 * 1024).startswith(b"HTTP/1.1 200 "), "does not answer")
    return connection


def require(server, holds, what):
    if not holds:
        raise SystemExit(f"{server.name}: {what}")
