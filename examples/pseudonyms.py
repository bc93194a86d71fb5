#!/usr/bin/env python3
"""One-way tokens as docs/PSEUDONYMS.md defines them, for joining tables from inside with what a consumer has.

Python's standard library only, written from that page. Two limits: domains have to be ASCII and not `xn--`, because UTS 46 is not in
the standard library (Unsupported is raised); and unicodedata has the Unicode version of the Python (14.0 in 3.11), so characters that
are newer do not fold.

    echo '{"class": "email", "value": "Alice@Contoso.com"}' | pseudonyms.py '{"secret": "…", "key_id": "A", "domain": "acme"}'

prints one JSON string for each line: the token without a domain, or null where there is none.
"""
import base64, hashlib, hmac, ipaddress, json, re, sys, unicodedata

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
EXACT = {"id": b"i1", "message_id": b"m1", "text": b"x1"}
LAYOUT = re.compile(rb"\x04\x24\x00[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\x00\x10\x00(.{16})", re.DOTALL)


class Unsupported(Exception):
    """The value needs UTS 46."""


class Pseudonyms:
    def __init__(self, secret, key_id, domain, own=(), plus_tags="keep"):
        self.master = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        self.key_id, self.pseudonym_domain, self.plus_tags = key_id, domain, plus_tags
        self.exact = {name for name in own if not name.startswith("*.")}
        self.parents = {name[2:] for name in own if name.startswith("*.")}

    def token(self, kind_of_value, value):
        """The token of a value of a class; None if it has none."""
        canonical = self.canonical(kind_of_value, value)
        if canonical is None:
            return None
        info = b"".join(lp(part.encode()) for part in ("glassine/pseudonym/1", "token", self.pseudonym_domain, kind_of_value))
        key = sha(sha(bytes(32), self.master), info + b"\x01")
        return "t~" + self.key_id + base64.urlsafe_b64encode(sha(key, b"".join(map(lp, canonical)))[:24]).decode()

    def canonical(self, kind_of_value, value):
        """The version, kind and octets that are hashed."""
        if kind_of_value in EXACT:
            return (EXACT[kind_of_value], b"exact", value.encode()) if value else None
        if kind_of_value == "thread":
            guid = thread_guid(value)
            return (b"c1", b"guid" if guid else b"exact", guid or value.encode()) if value else None
        return self.ip(value) if kind_of_value == "ip" else self.email(value)

    def ip(self, value):
        text = trim(value)
        text = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            address = ipaddress.ip_address(text if "%" not in text else "")
        except ValueError:
            return None
        address = getattr(address, "ipv4_mapped", None) or address
        return b"n1", b"v%d" % address.version, address.packed

    def email(self, value):
        text = unwrap(value)
        if not text:
            return (b"e1", b"opaque", trim(value).encode()) if trim(value) else None
        if len(text.encode()) > 1024:
            return b"e1", b"digest", hashlib.sha256(text.encode()).digest()
        if text[:3].lower() == "/o=" and text[:3].isascii():
            return b"e1", b"x500", fold(text).encode()
        return self.mailbox(text) or (b"e1", b"opaque", text.encode())

    def mailbox(self, text):
        ats = [at for at in outside_quotes(text) if text[at] == "@"]
        if not ats:
            return None
        local, domain = atoms(text[: ats[-1]]), to_ascii(text[ats[-1] + 1 :])
        if not local or not domain:
            return None
        local, domain = self.invited(fold(local), domain)
        name = encapsulated(local)
        if name:
            return b"e1", b"x500", fold(name).encode()
        strips = self.plus_tags == "strip" or self.plus_tags == "strip_own" and self.is_own(domain) and not local.endswith("#ext#")
        local = local[: local.find("+", 1)] if strips and "+" in local[1:] and local[0] != "+" else local
        if len((local + "@" + domain).encode()) > 320:
            return b"e1", b"digest", hashlib.sha256(text.encode()).digest()
        return None if local.startswith("/o=") else (b"e1", b"smtp", (local + "@" + domain).encode())

    def invited(self, local, domain):
        """The address that a guest's name holds: reading g1."""
        if local.endswith("#ext#") and len(local.encode()) <= 63 and self.is_own(domain):
            before, _, behind = local[:-5].rpartition("_")
            behind = to_ascii(behind)
            if before and behind and "." in behind and not self.is_own(behind):
                return before, behind
        return local, domain

    def is_own(self, domain):
        labels = domain.split(".")
        return domain in self.exact or any(".".join(labels[at:]) in self.parents for at in range(1, len(labels)))


def lp(octets):
    return len(octets).to_bytes(8, "big") + octets


def sha(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def trim(text):
    return text.strip(SPACE + INVISIBLE)


def fold(text):
    def one(character):
        if character in "\u0130\u0131\u0345":
            return character
        upper = character.upper() if len(character.upper()) == 1 else character
        return upper.lower() if len(upper.lower()) == 1 else upper

    return unicodedata.normalize("NFC", "".join(map(one, unicodedata.normalize("NFC", text))))


def outside_quotes(text):
    """The places of the characters outside quoted strings."""
    places, quoted, escaped = [], False, False
    for place, character in enumerate(text):
        if quoted and escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted:
            places.append(place)
    return places


def unwrap(value):
    text = trim(value)
    for _ in range(4):
        opened = [at for at in outside_quotes(text[:-1]) if text[at] == "<"] if text.endswith(">") else []
        text = text[opened[-1] + 1 : -1] if opened else text
        scheme = next((it for it in ("mailto:", "smtp:", "sip:", "x500:") if text[: len(it)].isascii() and text[: len(it)].lower() == it), "")
        text = trim(text[len(scheme) :])
    return text


def atoms(local):
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = re.sub(r"\\(.?)", r"\1", local[1:-1], flags=re.DOTALL)
    plain = all(re.fullmatch(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]", c) or not (c.isascii() or unicodedata.category(c) == "Cc" or c in SPACE) for c in local)
    return local if local and plain and trim(local) == local else None


def to_ascii(domain):
    domain = trim(domain)
    domain = domain[:-1] if domain.endswith(".") else domain
    if not domain.isascii() or "xn--" in domain.lower():
        raise Unsupported
    labels = domain.lower().split(".")
    return ".".join(labels) if len(domain) <= 253 and all(re.fullmatch(r"[a-z0-9-]{1,63}", label) for label in labels) else None


def encapsulated(local):
    if not local.startswith("imceaex-"):
        return None
    first, *rest = local[len("imceaex-") :].split("+")
    if not all(re.match(r"[0-9a-f]{2}", part) for part in rest):
        return None
    name = first.replace("_", "/") + "".join(chr(int(part[:2], 16)) + part[2:].replace("_", "/") for part in rest)
    return name if name[:3].lower() == "/o=" and unwrap(name) == name else None


def thread_guid(value):
    text = value.replace("-", "/").replace("_", "+")
    if len(value.encode()) > 128 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text):
        return None
    bare = text.rstrip("=")
    try:
        octets = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return None
    if base64.b64encode(octets).decode().rstrip("=") != bare or len(text) != len(bare) and len(text) % 4 or not octets:
        return None
    plain = octets[1:] if octets[0] == 0 else runs(octets[1:]) if octets[0] == 1 else None
    found = plain and LAYOUT.fullmatch(plain)
    return found[1] if found else None


def runs(octets):
    plain, at = b"", 0
    while at < len(octets):
        pair = octets[at : at + 1] == octets[at + 1 : at + 2]
        if pair and at + 2 >= len(octets):
            return None
        plain += octets[at : at + 1] * (octets[at + 2] + 2 if pair else 1)
        at += 3 if pair else 1
    return plain


def main():
    pseudonyms = Pseudonyms(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            print(json.dumps(pseudonyms.token(request["class"], request["value"])))
        except Unsupported:
            print('"unsupported"')


if __name__ == "__main__":
    main()
