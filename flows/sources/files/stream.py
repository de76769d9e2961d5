"""The bytes of a file: hashed and counted as they are read, unpacked, and put into UTF-8."""

import codecs
import gzip
import hashlib
import io
import os
import zlib
from pathlib import Path
from typing import Protocol

from flows.core.errors import SourceFileError

BLOCK_BYTES = 512 * 1024
_UNDECODABLE = "concord_undecodable"
_CONTINUATION_BYTES = range(0x80, 0xC0)


class Readable(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class HashedFile(io.RawIOBase):
    """A file that knows the hash and number of the bytes read from it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._hash = hashlib.sha256()
        self.position = 0
        self.size = os.fstat(self._file.fileno()).st_size

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read into the buffer, hashing."""
        count = self._file.readinto(buffer) or 0
        self._hash.update(memoryview(buffer)[:count])
        self.position += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def content_hash(self) -> str:
        """Return the SHA-256 of the whole file, reading what a reader left unread."""
        while self.read(BLOCK_BYTES):
            pass
        return self._hash.hexdigest()


def unpacked(file: HashedFile, *, is_gzip: bool, encoding: str) -> Readable:
    """Return the file's text in UTF-8; what cannot be decoded becomes invalid UTF-8."""
    content: Readable = _Gzip(file) if is_gzip else file
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii"):
        return content
    return _Transcoded(content, encoding)


class _Gzip:
    """Unpacks gzip; raises SourceFileError where the packing is broken."""

    def __init__(self, file: HashedFile) -> None:
        self._unpacked = gzip.GzipFile(fileobj=io.BufferedReader(file, 128 * 1024))

    def read(self, size: int) -> bytes:
        try:
            return self._unpacked.read(size)
        except EOFError as error:
            raise SourceFileError(
                "The gzip file is truncated. Nothing of it was landed; deliver it again, whole."
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise SourceFileError(
                f"The file is not valid gzip ({error}). Deliver it packed with gzip, "
                "or without .gz in its name."
            ) from error


class _Transcoded:
    """Decodes block by block, and encodes in UTF-8."""

    def __init__(self, content: Readable, encoding: str) -> None:
        self._content = content
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=_UNDECODABLE)
        self._is_done = False

    def read(self, size: int) -> bytes:
        while not self._is_done:
            block = self._content.read(size)
            self._is_done = not block
            text = self._decoder.decode(block, self._is_done)
            if text:
                return text.encode("utf-8", "surrogateescape")
        return b""


def _keep_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Turn each undecodable byte into a lone surrogate, which encodes as a byte UTF-8 forbids."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    # A stray continuation byte stays as it is; any other might begin a valid character.
    stray = (byte if byte in _CONTINUATION_BYTES else 0xFF for byte in wrong)
    return "".join(chr(0xDC00 + byte) for byte in stray), error.end


codecs.register_error(_UNDECODABLE, _keep_undecodable)
