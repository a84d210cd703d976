"""The published frequency rows of Ta-Feng, where its data is."""

from pathlib import Path

import pytest

from tests.benchmarks.published import PUBLISHED, rows

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "campaigns" / "tafeng"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no Ta-Feng data beside the project")
def test_the_published_frequency_rows_are_reproduced() -> None:
    found = rows(FOLDER)
    for name, published in PUBLISHED.items():
        assert found[name] == pytest.approx(published, abs=1e-4), name
