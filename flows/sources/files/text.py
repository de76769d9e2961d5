"""Checks over whole blocks of bytes, fast enough to be made on every one."""

import codecs
import re

_SLICE = 1024 * 1024
_ESCAPES_POSTGRES_REFUSES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Digits as 0, signs and exponents in one spelling: what could be a huge number is a plain search.
_SHAPE = bytes.maketrans(b"123456789E-", b"000000000e+")
_EXPONENT = re.compile(rb"[0-9.][eE][+-]?\d{5,}[\s,}\]]")
_ENDLESS_DIGITS = b"0" * 100_000


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
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    return (
        content.count(b"\n{") + content.startswith(b"{") == lines
        and not any(byte in content for byte in (b"\0", b"\x01", b"\x02"))
        and not (b"\\u" in content and _ESCAPES_POSTGRES_REFUSES.search(content))
        and not _has_huge_number(content)
        and is_utf8(content)
    )


def blank_line_count(content: bytes) -> int:
    """Return how many lines hold nothing but white space."""
    return sum(1 for line in content.removesuffix(b"\n").split(b"\n") if not line.strip())


def _has_huge_number(content: bytes) -> bool:
    shape = content.translate(_SHAPE)
    return _ENDLESS_DIGITS in shape or any(
        _has_huge_exponent(content, shape, form) for form in (b"e00000", b"e+00000")
    )


def _has_huge_exponent(content: bytes, shape: bytes, form: bytes) -> bool:
    at = shape.find(form)
    while at > 0:
        if _EXPONENT.match(content, at - 1):
            return True
        at = shape.find(form, at + 1)
    return False
