"""How soon the shop answers, and what two workers weigh."""

import tempfile
from pathlib import Path

import httpx2

from tests.benchmarks.processes import shop


def measure() -> dict[str, str]:
    """First start on an empty directory, second start on the same, memory of two workers after 200 pages."""
    with tempfile.TemporaryDirectory() as kept:
        with shop(data_dir=Path(kept)) as first:
            first_seconds = first.ready_seconds
        with shop(data_dir=Path(kept), workers=2) as second:
            for _ in range(100):
                for path in ("/products/meridien", "/products"):
                    httpx2.get(second.url + path, timeout=20).raise_for_status()
            megabytes = second.memory_megabytes()
            return {
                "first start, empty directory (s)": f"{first_seconds:.2f}",
                "second start, two workers (s)": f"{second.ready_seconds:.2f}",
                "memory with two workers, PSS (MB)": f"{megabytes:.0f}",
            }
