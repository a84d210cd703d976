"""Pages of the office's lists."""


def within(page: int, found: int, size: int) -> tuple[int, int]:
    """The page that is asked for, brought within those there are, and how many there are.

    Args:
        page: from 1; what is beyond either end is the first or the last.
        found: rows in all.
        size: rows of a page.
    """
    pages = max(1, -(-found // size))
    return min(max(page, 1), pages), pages
