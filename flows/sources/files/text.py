"""Checks over whole blocks of bytes, fast enough to be made on every one."""

import codecs
import re

_SLICE = 1024 * 1024
_ESCAPES_POSTGRES_REFUSES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def is_utf8(content: bytes) -> bool:
    """Tell whether the bytes are UTF-8, without a second copy of them where they are many."""
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _SLICE):
            decoder.decode(content[start : start + _SLICE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def looks_like_json_objects(content: bytes) -> bool:
    """Tell whether nothing speaks against each line being a JSON object that Postgres can read."""
    line_breaks = content.removesuffix(b"\n").count(b"\n")
    return (
        content.startswith(b"{")
        and content.count(b"\n{") == line_breaks
        and not any(byte in content for byte in (b"\0", b"\x01", b"\x02"))
        # The single byte is found far faster than the pair, and most blocks hold none.
        and not (b"\\" in content and _ESCAPES_POSTGRES_REFUSES.search(content))
        and is_utf8(content)
    )


def blank_line_count(content: bytes) -> int:
    """Return how many lines hold nothing but white space."""
    return sum(1 for line in content.removesuffix(b"\n").split(b"\n") if not line.strip())
