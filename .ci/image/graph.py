"""Stands for Graph, slowly: a page of users that takes some seconds to arrive."""

import http.server
import json
import threading
import time

PORT = 8082
PIECES, PAUSE = 40, 0.1
USERS = [
    {"id": f"user-{n}", "accountEnabled": True, "proxyAddresses": [f"smtp:{n}.{m}@tallgrass.example" for m in range(40)]}
    for n in range(400)
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"value": USERS}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json;odata.metadata=minimal")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        size = len(body) // PIECES + 1
        for at in range(0, len(body), size):
            self.wfile.write(body[at : at + size])
            self.wfile.flush()
            time.sleep(PAUSE)

    def log_message(self, *_words):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{PORT}"
