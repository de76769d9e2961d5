"""Blocks of whole lines, with exact line numbers, in bounded memory however long a line is."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from flows.sources.contract import LONGEST_PART, LONGEST_ROW, Reject
from flows.sources.files.stream import BLOCK_BYTES, Readable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TOO_LONG = f"the line is longer than {LONGEST_ROW // 1024**2} MB"


@dataclass(frozen=True)
class Block:
    """Whole lines; only the last line of a file may lack its line end."""

    content: bytes
    first_line: int
    is_last: bool = False


class LineBlocks:
    """Cuts a stream into blocks; `line_count` is how many lines it saw, counted on the bytes."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._line = 1
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.line_count = 0
        self.is_empty = True

    def read(self) -> Iterator[Block | Reject]:
        """Yield every line once, those that are too long as rejects in parts."""
        while piece := self._read():
            end = piece.find(b"\n")
            if self._held_bytes + (end if end >= 0 else len(piece)) > LONGEST_ROW:
                piece = yield from self._too_long(piece)
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield self._block(piece[:cut])
                piece = piece[cut:]
            self._hold(piece)
        yield self._block(b"", is_last=True)

    def _read(self) -> bytes:
        piece = self._stream.read(BLOCK_BYTES)
        if self.is_empty and piece:
            piece = self._without_mark(piece)
            self.is_empty = not piece
        self.line_count += piece.count(b"\n")
        return piece

    def _without_mark(self, piece: bytes) -> bytes:
        while len(piece) < len(BYTE_ORDER_MARK) and (more := self._stream.read(BLOCK_BYTES)):
            piece += more
        return piece.removeprefix(BYTE_ORDER_MARK)

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._held_bytes += len(piece)

    def _release(self) -> list[bytes]:
        held, self._held, self._held_bytes = self._held, [], 0
        return held

    def _block(self, piece: bytes, *, is_last: bool = False) -> Block:
        content = b"".join([*self._release(), piece]) if self._held else piece
        block = Block(content, self._line, is_last)
        self._line += content.count(b"\n")
        if is_last and content:
            self.line_count += 1  # the last line has no line end
        return block

    def _too_long(self, piece: bytes) -> Generator[Reject, None, bytes]:
        """Pass a line on in parts as it is read; return what follows it."""
        buffer = b"".join(self._release())
        line, part = self._line, 0
        while piece:
            end = piece.find(b"\n")
            buffer += piece if end < 0 else piece[:end]
            while len(buffer) >= LONGEST_PART:
                part += 1
                yield Reject(line, TOO_LONG, buffer[:LONGEST_PART], part)
                buffer = buffer[LONGEST_PART:]
            if end >= 0:
                break
            piece = self._read()
        else:
            self.line_count += 1
        if buffer:
            yield Reject(line, TOO_LONG, buffer, part + 1)
        self._line += 1
        return piece[end + 1 :] if piece else b""
