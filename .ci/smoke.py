"""Walks the demo as a consumer does, with the bytes of every response searched for the sample tenant's people.

Usage: smoke.py GLASSINE ARGUMENT…, where the arguments are those of README.md's demo command.
"""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ANYWHERE = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--graph-listen", "127.0.0.1:0"]
OWN_DOMAINS = ["tallgrass.example", "tallgrass.onmicrosoft.example"]
SECONDS = 30


class Response:
    def __init__(self, response):
        self.status, self.headers, self.text = response.status, str(response.headers), response.read().decode()

    def json(self):
        return json.loads(self.text)


def get(url, token=None):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return Response(response)
    except urllib.error.HTTPError as error:
        return Response(error)


class Tenant:
    """What the sample tenant holds, as it says itself."""

    def __init__(self, base):
        users = get(f"{base}/v1.0/users?$top=999").json()["value"]
        self.secrets = {user["id"] for user in users} | {user["displayName"] for user in users}
        self.secrets |= {user[name] for user in users for name in ("mail", "userPrincipalName") if user[name]}
        owner = next(user["id"] for user in users if user["mail"])
        for message in get(f"{base}/v1.0/users/{owner}/messages?$top=100").json()["value"]:
            self.secrets |= {message[name] for name in ("id", "subject", "webLink", "internetMessageId", "conversationId")}
            self.secrets |= {line for line in message["bodyPreview"].splitlines() if len(line) > 12}
        self.secrets = {secret.lower() for secret in self.secrets if len(secret) > 7}

    def require_hidden(self, what, text):
        text = urllib.parse.unquote(text).lower()
        for secret in self.secrets:
            assert secret not in text, f"{what}: something of the tenant left"
        for local, domain in re.findall(r"([\w.+~-]+)@([\w.~-]+)", text):
            assert local.startswith("t~"), f"{what}: an address left"
            assert domain in OWN_DOMAINS or domain.startswith("d~"), f"{what}: a foreign domain left"


class Consumer:
    def __init__(self, proxy, token, tenant):
        self.proxy, self.token, self.tenant, self.asked = proxy, token, tenant, 0

    def ask(self, target, expected=200):
        url = target if target.startswith("http") else self.proxy + target
        assert url.startswith(self.proxy), "a link leads elsewhere"
        response = get(url, self.token)
        self.asked += 1
        what = re.sub(r"p~[\w-]+|=[\w-]{40,}", "…", url.removeprefix(self.proxy))
        assert response.status == expected, f"{what}: {response.status} in place of {expected}"
        self.tenant.require_hidden(what, response.headers + response.text)
        return response.json()


def walk(consumer):
    users = consumer.ask("/v1.0/users?$top=50")
    assert len(users["value"]) == 50, "a page has as many users as were asked for"
    consumer.ask(users["@odata.nextLink"])
    for user in users["value"]:
        base = f"/v1.0/users/{user['id']}"
        if user["mail"] and consumer.ask(f"{base}/messages?$top=2")["value"]:
            break
    folders = consumer.ask(f"{base}/mailFolders?$top=50")["value"]
    folder = max(folders, key=lambda folder: folder["totalItemCount"])
    page = consumer.ask(f"{base}/mailFolders/{folder['id']}/messages?$top=5")
    seen = {message["id"] for message in page["value"]}
    following = consumer.ask(page["@odata.nextLink"])
    assert len(seen) == 5 and seen.isdisjoint(message["id"] for message in following["value"]), "pages go on"
    consumer.ask(f"{base}/messages/{page['value'][0]['id']}")
    consumer.ask(f"{base}/mailboxSettings")
    consumer.ask("/v1.0/groups")
    consumer.ask(f"{base}/messages?$search=salary", expected=400)
    consumer.ask(f"{base}/messages/{page['value'][0]['id']}/$value", expected=403)
    consumer.ask("/v1.0/me/messages", expected=403)


def audit_log(path, records):
    """The log with one record for each request; the last one is written when its response has been read."""
    deadline = time.monotonic() + SECONDS
    while True:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # Starts, reloads and stops have records, too.
        requests = [line for line in text.splitlines(keepends=True) if line.endswith("\n") and "request_id" in json.loads(line)]
        if len(requests) == records or time.monotonic() > deadline:
            assert len(requests) == records, "one audit record for each request"
            return text
        time.sleep(0.1)


def stop(demo):
    demo.send_signal(signal.SIGTERM)
    code = demo.wait(timeout=SECONDS)
    assert code == 0, f"the demo ended with {code}"


def main():
    started = time.monotonic()
    demo = subprocess.Popen(sys.argv[1:] + ANYWHERE + ["--format", "json"], stdout=subprocess.PIPE)
    try:
        where = json.loads(demo.stdout.readline())
        tenant = Tenant(where["graph"])
        consumer = Consumer(where["proxy"], where["token"], tenant)
        assert get(f"{where['proxy']}/v1.0/users").status == 401, "nothing without a token"
        walk(consumer)
        assert get(f"{where['admin']}/readyz").status == 200, "ready"
        tenant.require_hidden("metrics", get(f"{where['admin']}/metrics").text)
        tenant.require_hidden("audit log", audit_log(where["audit"], consumer.asked + 1))
        stop(demo)
    finally:
        demo.kill()
    seconds = time.monotonic() - started
    print(f"{consumer.asked} responses, {len(tenant.secrets)} strings of the tenant looked for in each, {seconds:.1f} s")


if __name__ == "__main__":
    main()
