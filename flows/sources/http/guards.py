"""What keeps reading page after page from going on for ever, or from ending too early."""

from flows.core.errors import SourceRefusedError

MOST_EMPTY_PAGES = 3


class PageGuard:
    """Sees to it that every page leads further; one per walk through pages."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[int] = set()
        self._empty = 0

    def passed(self, rows: int, next_page: str | None) -> None:
        """Note a page and where it says to go on.

        Raises SourceRefusedError when it leads back to a page that was read before, or when
        pages without rows keep promising more.
        """
        if next_page is None:
            return
        if hash(next_page) in self._seen:
            raise SourceRefusedError(
                f"{self._what}: the next page is one that was read before, so this would never "
                "end. What was read up to there is kept; report it to whoever runs the system."
            )
        self._seen.add(hash(next_page))
        self._empty = 0 if rows else self._empty + 1
        if self._empty >= MOST_EMPTY_PAGES:
            raise SourceRefusedError(
                f"{self._what}: {self._empty} pages in a row were empty and still promised more. "
                "What was read up to there is kept; report it to whoever runs the system."
            )
