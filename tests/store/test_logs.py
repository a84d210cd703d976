"""What operators read: one line a record, and nobody's words in it."""

import json
import logging
import logging.config
import sys

import pytest

from store import logs


def _record(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except type(error):
        log = logging.getLogger("store.web")
        found = sys.exc_info()
    return log.makeRecord("store.web", logging.ERROR, __file__, 1, "unexpected error %s", ("err_1",), found)


def test_a_line_says_when_where_and_of_what_type_an_error_was() -> None:
    line = json.loads(logs.Line().format(_record(ValueError("ada@example.com is no number"))))
    assert (line["level"], line["logger"], line["message"]) == ("error", "store.web", "unexpected error err_1")
    assert line["error"] == "ValueError"
    assert line["where"][0].endswith(" _record")
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize("form", [logs.Line(), logs.Words()])
def test_the_words_of_an_error_are_never_written(form: logging.Formatter) -> None:
    text = form.format(_record(ValueError("ada@example.com is no number")))
    assert "ada" not in text
    assert "ValueError" in text


@pytest.mark.parametrize(("production", "form"), [(True, logs.Line), (False, logs.Words)])
def test_the_web_servers_own_records_take_the_same_form(production: bool, form: type[logging.Formatter]) -> None:
    names = ("uvicorn.error", "store")
    before = {name: list(logging.getLogger(name).handlers) for name in names}
    try:
        logging.config.dictConfig(logs.config(production))
        for name in names:
            assert [type(handler.formatter) for handler in logging.getLogger(name).handlers] == [form]
    finally:
        for name, handlers in before.items():
            logging.getLogger(name).handlers, logging.getLogger(name).propagate = handlers, True
        logging.getLogger().handlers = [h for h in logging.getLogger().handlers if not isinstance(h.formatter, form)]
