"""JSON Lines: handed on in blocks, untouched."""

from collections.abc import Iterator

from flows.core.errors import SourceFileError
from flows.sources.contract import Chunk, Lines, Reject
from flows.sources.files.blocks import Block, LineBlocks
from flows.sources.files.stream import Readable
from flows.sources.files.text import blank_line_count, looks_like_json_objects

EMPTY = "The file is empty. Nothing was landed; deliver it again with its content."


class JsonLines:
    """The records of one JSON Lines file."""

    columns: tuple[str, ...] | None = None

    def __init__(self, stream: Readable) -> None:
        self._blocks = LineBlocks(stream)
        self._blank_lines = 0

    @property
    def record_count(self) -> int:
        """How many lines held something, counted on the bytes."""
        return self._blocks.line_count - self._blank_lines

    def chunks(self) -> Iterator[Chunk]:
        """Yield the lines in blocks; raises SourceFileError for an empty file."""
        for piece in self._blocks.read():
            if isinstance(piece, Reject):
                yield piece
            elif piece.content:
                yield self._lines(piece)
        if self._blocks.is_empty:
            raise SourceFileError(EMPTY)

    def _lines(self, block: Block) -> Lines:
        if looks_like_json_objects(block.content):
            return Lines(block.content, block.first_line, "likely")
        self._blank_lines += blank_line_count(block.content)
        return Lines(block.content, block.first_line, "doubtful")
