"""What the origin has: a tenant of three users, each with one page of messages."""

import json
import subprocess
from dataclasses import dataclass

from workspace import BUILT


@dataclass(frozen=True)
class Page:
    title: str
    messages: int
    bodies: bool
    user: str


SMALL = Page("10 messages with bodies", 10, True, "11111111-1111-4111-8111-111111111111")
PLAIN = Page("1,000 messages without bodies", 1000, False, "22222222-2222-4222-8222-222222222222")
BIG = Page("1,000 messages with bodies", 1000, True, "33333333-3333-4333-8333-333333333333")
PAGES = [SMALL, PLAIN, BIG]
USERS = "/v1.0/users"


def make(folder, graph):
    """Writes the pages, plain and as gzip, and returns the text of each. Their links lead to `graph`."""
    folder.mkdir()
    users = [{"id": page.user, "mail": f"user{at}@contoso.com", "accountEnabled": True} for at, page in enumerate(PAGES)]
    (folder / "users").write_text(json.dumps({"value": users}))
    return {page: make_page(folder, graph, page) for page in PAGES}


def make_page(folder, graph, page):
    command = [BUILT / "pages", str(page.messages), "--user", page.user, "--graph", graph]
    if page.bodies:
        command.append("--bodies")
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (folder / page.user).write_text(text)
    subprocess.run(["gzip", "--keep", "-6", folder / page.user], check=True)
    return text
