"""What may go to COPY unseen, and what must be judged line by line."""

import io
import json
import uuid

import pytest

from flows.sources.contract import Lines, Reject
from flows.sources.files import blocks
from flows.sources.files.json_lines import JsonLines
from flows.sources.files.text import looks_like_json_objects


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'{"a": 1}\r\n{"a": 2}\r\n',
        b'{"a": 1}',
        '{"a": "é東 \\u00e9 😀"}\n'.encode(),
        b'{"a": 1e10, "b": 1.5E-7, "c": "1e99999"}\n',
        b"".join(
            json.dumps({"id": str(uuid.UUID(int=n * 7**40))}).encode() + b"\n" for n in range(200)
        ),
    ],
)
def test_clean_blocks_take_the_fast_path(content: bytes) -> None:
    assert looks_like_json_objects(content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n[1]\n',
        b'{"a": 1}\n\n{"a": 2}\n',
        b'{"a": "\xff"}\n',
        b'{"a": "\0"}\n',
        b'{"a": "\x01"}\n',
        b'{"a": "\\u0000"}\n',
        b'{"a": "\\uD800"}\n',
        b'{"a": "\\udfff"}\n',
        b' {"a": 1}\n',
    ],
)
def test_anything_doubtful_does_not(content: bytes) -> None:
    assert not looks_like_json_objects(content)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21, 1000])
def test_lines_keep_their_numbers_however_the_file_is_cut(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    monkeypatch.setattr(blocks, "LONGEST_ROW", 12)
    monkeypatch.setattr(blocks, "LONGEST_PART", 5)
    long = b'{"a": "xxxxxxxxxx"}'
    content = b'{"a":1}\n\n' + long + b"\n" + long + b'\n{"a":2}\n' + long
    records = JsonLines(io.BytesIO(content))
    seen: dict[int, bytes] = {}
    for chunk in records.chunks():
        if isinstance(chunk, Reject):
            assert len(chunk.content) <= 5
            seen[chunk.line] = seen.get(chunk.line, b"") + chunk.content
        elif isinstance(chunk, Lines):
            rows = chunk.content.removesuffix(b"\n").split(b"\n")
            seen |= dict(enumerate(rows, start=chunk.first_line))
    assert seen == {1: b'{"a":1}', 2: b"", 3: long, 4: long, 5: b'{"a":2}', 6: long}
    assert records.record_count == 5
