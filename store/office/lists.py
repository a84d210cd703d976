"""Lists that staff take away: CSV that no spreadsheet takes for formulas, written row by row."""

import csv
import io
from collections.abc import Iterator

from fastapi.responses import StreamingResponse


def inert(text: str) -> str:
    """What a spreadsheet would take for a formula is written as text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_file(name: str, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> StreamingResponse:
    """A CSV file that is sent while it is read."""

    def lines() -> Iterator[str]:
        yield _line(header)
        for row in rows:
            yield _line(row)

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _line(row: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(row)
    return buffer.getvalue()
