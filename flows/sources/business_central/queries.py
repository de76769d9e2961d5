"""Questions to Business Central: of which company, of which list, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flows.sources.business_central.batch import Question

PLAIN = {"Accept-Language": "en-US"}  # the language changes how errors and dates are written
REPLICA = {"Data-Access-Intent": "ReadOnly"}  # it may lag behind
PRIMARY = {"Data-Access-Intent": "ReadWrite"}
_SAFE = "$,()'=:"


@dataclass(frozen=True)
class Company:
    """One company of the environment; everything is read per company."""

    id: str
    name: str


@dataclass(frozen=True)
class Query:
    """What is asked of one entity set."""

    name: str
    filter: str = ""
    order: str = ""
    select: str = ""
    expand: str = ""
    top: int = 0
    is_counted: bool = False

    @property
    def text(self) -> str:
        """The options of the address; spaces are written as %20, which every server reads."""
        options = {
            "$filter": self.filter,
            "$orderby": self.order,
            "$select": self.select,
            "$expand": self.expand,
            "$top": str(self.top or ""),
            "$count": "true" if self.is_counted else "",
        }
        given = [f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value]
        return f"?{'&'.join(given)}" if given else ""

    def path(self, company: Company) -> str:
        """Return the address of the list, below that of the API."""
        return f"companies({company.id})/{self.name}{self.text}"


def asking(size: int, query: Query, *, from_replica: bool = False) -> Mapping[str, str]:
    """Return the headers that ask for pages of a size."""
    headers = PLAIN | (REPLICA if from_replica else PRIMARY)
    return headers if query.top else headers | {"Prefer": f"odata.maxpagesize={size}"}


def counting(company: Company, name: str) -> Question:
    """Return the question how many records a company has in a set."""
    headers = PLAIN | PRIMARY | {"Accept": "text/plain"}
    return Question(f"companies({company.id})/{name}/$count", headers)
