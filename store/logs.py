"""What the processes of the shop write for their operators: one line a record, as JSON in production, nobody in it.

Messages of errors can hold what somebody typed; so of an error the type and the place are written, never the words.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any


class Line(logging.Formatter):
    """A record as one line of JSON: at, level, logger, message; of an error its type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            facts["error"] = record.exc_info[0].__name__
            facts["where"] = _places(record.exc_info[2])
        return json.dumps(facts, ensure_ascii=False)


class Words(logging.Formatter):
    """A record for eyes at a terminal; of an error its type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        line = f"{record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info and record.exc_info[0] is not None:
            line += "".join(f"\n  {place}" for place in (*_places(record.exc_info[2]), record.exc_info[0].__name__))
        return line


def _places(trace: Any) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def config(production: bool) -> dict[str, Any]:
    """The logging of a process, its web server's included, for `logging.config.dictConfig`."""
    form = "store.logs.Line" if production else "store.logs.Words"
    quiet = {"level": "WARNING", "handlers": ["out"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"()": form}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
        "loggers": {"uvicorn": quiet, "uvicorn.error": quiet, "store": {**quiet, "level": "INFO"}},
        "root": {"level": "WARNING", "handlers": ["out"]},
    }
