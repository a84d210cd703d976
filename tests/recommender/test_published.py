"""The published frequency rows of Ta-Feng, where its data is."""

import pytest

from tests.benchmarks.published import DATA, PUBLISHED, rows


@pytest.mark.skipif(not DATA.is_dir(), reason="no Ta-Feng data beside the project")
def test_the_published_frequency_rows_are_reproduced() -> None:
    found = rows(DATA)
    for name, published in PUBLISHED.items():
        assert found[name] == pytest.approx(published, abs=1e-4), name
