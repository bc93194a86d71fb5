"""Checks responses before measuring: a forwarder returns the page, a sanitizer exactly what may leave of it."""

import gzip
import json
import re

# Properties of a message and its objects that must never leave.
HIDDEN = ["subject", "body", "bodyPreview", "name", "webLink", "changeKey", "conversationIndex", "categories", "@odata.etag"]
# The output of the first sanitizer for each page. The other sanitizers must return the same.
_outlines = {}


def check(server, page, packed=False):
    headers = {"Accept-Encoding": "gzip"} if packed else {}
    response = server.get(server.path(page), headers)
    require(server, (response.encoding == "gzip") == packed, "does not compress as it was asked to")
    text = (gzip.decompress(response.body) if packed else response.body).decode()
    if server.sanitizes:
        check_sanitized(server, page, server.origin.text[page], text)
    else:
        require(server, text == server.origin.text[page], "does not forward the page unchanged")


def check_sanitized(server, page, given, text):
    document = json.loads(text)
    require(server, len(document["value"]) == page.messages, f"{len(document['value'])} messages in place of {page.messages}")
    for name in HIDDEN:
        require(server, f'"{name}"' not in text, f"lets out {name}")
    for value in secrets(json.loads(given)):
        require(server, value not in text, "lets out a value of the page")
    outline = _outlines.setdefault(page, outlined(document))
    require(server, outline == outlined(document), "returns something else than the other sanitizer")


def secrets(page):
    """Values that must not leave unchanged. Times and flags may leave, and short words occur everywhere."""
    for message in page["value"]:
        people = [message["from"], *message["toRecipients"], *message["ccRecipients"]]
        yield from (it["emailAddress"][name] for it in people for name in ("address", "name"))
        yield from (message[name] for name in ("id", "parentFolderId", "conversationId", "internetMessageId", "subject"))


def outlined(value):
    """The document with each token replaced by a placeholder, because programs have different keys."""
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
