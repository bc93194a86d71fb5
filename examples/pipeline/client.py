"""GET requests to the proxy: on kept connections, and again where a response says so."""

import http.client
import json
import random
import threading
import time
import urllib.parse

ATTEMPTS = 8
TRY_AGAIN = (429, 502, 503, 504)


class StartAgain(Exception):
    """The link no longer opens. Request the collection from its beginning."""


class Refused(Exception):
    """A status that no repetition changes."""

    def __init__(self, status, error):
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status, self.code = status, error.get("code")


class Client:
    """Sends the requests of one consumer. Each thread has a connection of its own."""

    def __init__(self, base, token, prefer=()):
        self.base = urllib.parse.urlsplit(base)
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.prefer = ", ".join(("odata.maxpagesize=999", *prefer))
        self.local = threading.local()
        self.requests = self.repeated = 0

    def get(self, path):
        """The body, and what made it: the rules and the key. `path` is a link, or what follows `/v1.0`."""
        target = f"/v1.0{path}" if path.startswith("/") else path.removeprefix(f"{self.base.scheme}://{self.base.netloc}")
        for attempt in range(ATTEMPTS):
            try:
                response, body = self.send(target)
            except (http.client.HTTPException, OSError):
                self.local.connection.close()
                self.wait(attempt)
                continue
            if response.status not in TRY_AGAIN:
                return self.read(response, body)
            self.wait(attempt, response.getheader("Retry-After"))
        raise TimeoutError(f"no response after {ATTEMPTS} attempts")

    def send(self, target):
        if not hasattr(self.local, "connection"):
            kind = http.client.HTTPSConnection if self.base.scheme == "https" else http.client.HTTPConnection
            self.local.connection = kind(self.base.netloc, timeout=120)
        self.requests += 1
        self.local.connection.request("GET", target, headers={**self.headers, "Prefer": self.prefer})
        response = self.local.connection.getresponse()
        return response, response.read()

    @staticmethod
    def read(response, body):
        error = {} if response.status == 200 else json.loads(body).get("error", {})
        # Mailboxes say the first, the directory either.
        if response.status == 410 or error.get("code") == "syncStateNotFound":
            raise StartAgain
        if response.status != 200:
            raise Refused(response.status, error)
        return json.loads(body), (response.getheader("glassine-rules"), response.getheader("glassine-keys"))

    def wait(self, attempt, retry_after=None):
        """As long as the response says, otherwise twice as long as before, and never all at one moment."""
        self.repeated += 1
        time.sleep(float(retry_after or 0.2 * 2**attempt) + random.uniform(0, 0.2))
