"""A client of HTTP/1.1 over TLS that trusts nothing: it knows whether a response is whole, and whose connection it is on."""

import asyncio
import gzip
import json
import zlib
from dataclasses import dataclass

# No response takes longer unless something is broken.
LIMIT = 20


class Failed(Exception):
    """No response. `sent`: the request had gone out."""

    def __init__(self, why, sent):
        super().__init__(why)
        self.sent = sent


class Cut(Exception):
    """The head of a response came, and the body ended too early."""

    def __init__(self, status, headers):
        super().__init__(f"cut with status {status}")
        self.status, self.headers = status, headers


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict
    body: bytes
    # Head and body as they came, and the body without its coding.
    raw: bytes

    def json(self):
        return json.loads(self.body)


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        tls = writer.get_extra_info("ssl_object")
        self.certificate = tls.getpeercert(binary_form=True) if tls else None
        self.is_reusable = True

    @classmethod
    async def open(cls, port, tls):
        try:
            connecting = asyncio.open_connection("127.0.0.1", port, ssl=tls, limit=1 << 20)
            return cls(*await asyncio.wait_for(connecting, LIMIT))
        except (OSError, TimeoutError) as error:
            raise Failed(f"cannot connect: {error!r}", sent=False) from error

    def is_open(self):
        return self.is_reusable and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self):
        self.writer.transport.abort()

    async def ask(self, method, target, headers, body=b""):
        fields = {"Host": headers.pop("host"), "Content-Length": len(body)} if body else {"Host": headers.pop("host")}
        fields |= headers
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            self.writer.write(head.encode() + b"\r\n" + body)
            async with asyncio.timeout(LIMIT):
                return await self.read()
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Failed(f"no response: {error!r}", sent=True) from error
        except TimeoutError as error:
            raise Failed("no response in time", sent=True) from error

    async def read(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (it.partition(":") for it in fields if it)}
        try:
            raw = await self.read_body(headers)
            body = unpacked(raw) if headers.get("content-encoding") == "gzip" else raw
        except (OSError, EOFError, zlib.error, TimeoutError, ValueError) as error:
            self.is_reusable = False
            raise Cut(status, headers) from error
        self.is_reusable = headers.get("connection", "").lower() != "close"
        return Response(status, headers, body, head + body)

    async def read_body(self, headers):
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", 0)))
        pieces = []
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            pieces.append(await self.reader.readexactly(size))
            if await self.reader.readexactly(2) != b"\r\n":
                raise ValueError("a chunk does not end where it should")
        if await self.reader.readuntil(b"\r\n") != b"\r\n":
            raise ValueError("trailers")
        return b"".join(pieces)


def unpacked(raw):
    """Refuses what is not one whole member."""
    return gzip.decompress(raw)
