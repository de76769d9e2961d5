"""Checks over whole blocks of bytes, fast enough to be made on every one."""

import codecs
import re
from operator import methodcaller

_SLICE = 1024 * 1024
_ESCAPES_POSTGRES_REFUSES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Digits as 0, signs and exponents in one spelling: what could be a huge number is a plain search.
_SHAPE = bytes.maketrans(b"123456789E-", b"000000000e+")
_EXPONENT = re.compile(rb"[0-9.][eE][+-]?\d{5,}[\s,}\]]")
_LONG_ENOUGH_FOR_ENDLESS_DIGITS = 100_000  # jsonb numbers have up to 131,072 digits
_BEGINS_AN_OBJECT = methodcaller("startswith", b"{")


def is_utf8(content: bytes) -> bool:
    """Tell whether the bytes are UTF-8, without a second copy of them where they are many."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _SLICE):
            decoder.decode(content[start : start + _SLICE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def looks_like_json_objects(content: bytes) -> bool:
    """Tell whether nothing speaks against each line being a JSON object that jsonb can hold."""
    lines = content.removesuffix(b"\n").split(b"\n")
    return (
        all(map(_BEGINS_AN_OBJECT, lines))
        and not any(byte in content for byte in (b"\0", b"\x01", b"\x02"))
        # The single byte is found far faster than the pair, and most blocks hold none.
        and not (b"\\" in content and _ESCAPES_POSTGRES_REFUSES.search(content))
        and max(map(len, lines)) < _LONG_ENOUGH_FOR_ENDLESS_DIGITS
        and not _has_huge_exponent(content)
        and is_utf8(content)
    )


def blank_line_count(content: bytes) -> int:
    """Return how many lines hold nothing but white space."""
    return sum(1 for line in content.removesuffix(b"\n").split(b"\n") if not line.strip())


def _has_huge_exponent(content: bytes) -> bool:
    shape = content.translate(_SHAPE)
    return any(_is_exponent_at(content, shape, form) for form in (b"e00000", b"e+00000"))


def _is_exponent_at(content: bytes, shape: bytes, form: bytes) -> bool:
    at = shape.find(form)
    while at > 0:
        if _EXPONENT.match(content, at - 1):
            return True
        at = shape.find(form, at + 1)
    return False
