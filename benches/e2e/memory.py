"""The memory of connections: with a page open on each, and idle."""

import re
import selectors
import socket
import ssl

ANSWER_LIMIT = 60
READ = 256 * 1024
PROTOCOLS = HTTP1, HTTP2 = "HTTP/1.1", "HTTP/2"
ALPN = {HTTP1: "http/1.1", HTTP2: "h2"}
# The preface of RFC 9113, section 3.4, and an empty SETTINGS frame.
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def peak_of_open_pages(server, path, pages):
    """The peak of resident memory with this many pages in flight, each on its own connection."""
    server.process.forget_peak()
    with selectors.DefaultSelector() as waiting:
        for _ in range(pages):
            connection = socket.create_connection(("127.0.0.1", server.port), ANSWER_LIMIT)
            connection.sendall(request(server, path, "Connection: close"))
            waiting.register(connection, selectors.EVENT_READ, Page())
        while waiting.get_map():
            ready = waiting.select(ANSWER_LIMIT)
            require(server, ready, "stops in the middle of a page")
            for key, _ in ready:
                if not key.data.read(key.fileobj):
                    require(server, key.data.is_whole(), "does not respond with a whole page")
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
    return server.process.resident("VmHWM")


class Page:
    """The beginning, the end and the length of a response."""

    def __init__(self):
        self.first, self.last, self.length = b"", b"", 0

    def read(self, connection):
        data = connection.recv(READ)
        self.first, self.last, self.length = self.first or data, data or self.last, self.length + len(data)
        return data

    def is_whole(self):
        # Either the length is declared, or the body ends with an empty chunk.
        head, _, _ = self.first.partition(b"\r\n\r\n")
        declared = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        ends = self.length == len(head) + 4 + int(declared[1]) if declared else self.last.endswith(b"0\r\n\r\n")
        return head.startswith(b"HTTP/1.1 200 ") and ends


def idle_connections(server, count, protocol):
    """Resident memory with this many idle TLS connections, each of which had one request."""
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
        require(server, connection.recv(4096)[3:4] == b"\x04", "does not respond to the preface with settings")
    else:
        connection.sendall(request(server, "/v1.0/users"))
        require(server, connection.recv(64 * 1024).startswith(b"HTTP/1.1 200 "), "does not respond")
    return connection


def request(server, path, *lines):
    fields = [f"{name}: {value}" for name, value in server.headers.items()]
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *fields, *lines, "", ""]
    return "\r\n".join(lines).encode()


def require(server, holds, what):
    if not holds:
        raise SystemExit(f"{server.name}: {what}")
