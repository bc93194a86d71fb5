"""What is measured must first be right: a forwarder gives the page, a sanitizer what may leave of it, and all of that."""

import gzip
import json
import re

# Of a message and of what is in it; never on the way out.
HIDDEN = ["subject", "body", "bodyPreview", "name", "webLink", "changeKey", "conversationIndex", "categories", "@odata.etag"]
# What two sanitizers agree on, page by page: the first says, the others must say the same.
_outlines = {}


def check(server, page, packed=False):
    headers = {"Accept-Encoding": "gzip"} if packed else {}
    response = server.get(server.path(page), headers)
    require(server, (response.encoding == "gzip") == packed, "does not compress as it was asked to")
    text = (gzip.decompress(response.body) if packed else response.body).decode()
    if server.sanitizes:
        check_sanitized(server, page, server.origin.text[page], text)
    else:
        require(server, text == server.origin.text[page], "does not forward the page as it is")


def check_sanitized(server, page, given, text):
    document = json.loads(text)
    require(server, len(document["value"]) == page.messages, f"{len(document['value'])} messages in place of {page.messages}")
    for name in HIDDEN:
        require(server, f'"{name}"' not in text, f"lets out {name}")
    for value in secrets(json.loads(given)):
        require(server, value not in text, "lets out a value of the page")
    outline = _outlines.setdefault(page, outlined(document))
    require(server, outline == outlined(document), "lets out something else than the other sanitizer")


def secrets(page):
    """Values that must not leave, as they are. Message times and flags may, and short words are in everything."""
    for message in page["value"]:
        people = [message["from"], *message["toRecipients"], *message["ccRecipients"]]
        yield from (it["emailAddress"][name] for it in people for name in ("address", "name"))
        yield from (message[name] for name in ("id", "parentFolderId", "conversationId", "internetMessageId", "subject"))


def outlined(value):
    """The document with its tokens taken for what they are, since no two programs have the same keys."""
    if isinstance(value, dict):
        return {name: outlined(it) for name, it in value.items()}
    if isinstance(value, list):
        return [outlined(it) for it in value]
    if isinstance(value, str):
        value = re.sub(r"\b([pt]|d)~[\w-]+", r"\1~", value)
        return "link" if value.startswith("http") else value
    return value


def require(server, holds, what):
    if not holds:
        raise SystemExit(f"{server.name}: {what}")
