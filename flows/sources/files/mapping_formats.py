"""How a mapping file says that text is a number or a date, and the SQL that reads it so."""

import re
from dataclasses import dataclass

from psycopg import sql

TYPES = ("text", "number", "integer", "date", "timestamp", "boolean")
DECIMAL_MARKS = (".", ",")
THOUSANDS_MARKS = (".", ",", " ", "'", "\u2019", "\u00a0", "\u202f")

Variant = tuple[str, str]  # a regular expression, and the replacement that puts it in ISO order

_ISO_DATE: Variant = (r"^\s*(\d{4}-\d{2}-\d{2})([T ]00:00(:00([.]0+)?)?)?\s*$", r"\1")
_ISO_MOMENT = r"^\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.]\d+)?)?))?"
_ISO_ZONED: Variant = (_ISO_MOMENT + r"\s*(Z|[+-]\d{2}(?::?\d{2})?)\s*$", r"\1 \2\3")
# What a two-digit year stands for: 70 to 99 the last century, the rest this one.
_CENTURIES = (("19", r"([7-9]\d)"), ("20", r"([0-6]\d)"))

_DATE_TOKENS = {"YYYY": "year", "YY": "year", "MM": "month", "Mon": "month", "DD": "day"}
_TIME_TOKENS = {"HH24": "hour", "HH": "hour", "MI": "minute", "SS": "second", "TZ": "zone"}
_TOKENS = _DATE_TOKENS | _TIME_TOKENS
_SPLIT = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)))
_FIXED_WIDTH = {
    "Mon": r"([A-Za-z]{3})",
    "TZ": r"(Z|[+-]\d{2}:?\d{2})",
}


class FormatError(ValueError):
    """A date format cannot be understood; the text says why."""


@dataclass(frozen=True)
class ColumnType:
    """How the text of one file column is to be read."""

    type: str = "text"
    decimal: str = "."
    thousands: str | None = None
    format: str | None = None
    time_zone: str = "UTC"

    def check(self) -> None:
        """Raise FormatError when the date format makes no sense for the type."""
        if self.type in ("date", "timestamp"):
            self._variants()
            _refuse_look_alikes(self._forms())

    def reads(self, text: sql.Composable) -> sql.Composable:
        """Return SQL that turns text into the typed value, null when it cannot be read."""
        if self.type in ("number", "integer"):
            return self._number(text)
        if self.type == "boolean":
            return sql.SQL("raw.to_boolean({})").format(text)
        if self.type in ("date", "timestamp"):
            return self._moment(text)
        return text

    def _number(self, text: sql.Composable) -> sql.Composable:
        marks = [self.decimal, self.thousands] if self.thousands else [self.decimal]
        number = _call("raw.to_number", text, *marks)
        if self.type == "integer":
            return sql.SQL("raw.to_whole_number({})").format(number)
        return number

    def _moment(self, text: sql.Composable) -> sql.Composable:
        function = f"raw.to_{self.type}"
        calls = [_call(function, text, *variant) for variant in self._variants()]
        if len(calls) == 1:
            return calls[0]
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(calls))

    def _variants(self) -> list[Variant]:
        if self.type == "date":
            return [one for form in self._forms() for one in _variants(form)] or [_ISO_DATE]
        if not self.format:
            return [_ISO_ZONED, (_ISO_MOMENT + r"\s*$", rf"\1 \2 {self.time_zone}")]
        return [
            (pattern, iso + ("" if "TZ" in form else f" {self.time_zone}"))
            for form in self._forms()
            for pattern, iso in _variants(form, with_time=True)
        ]

    def _forms(self) -> list[str]:
        """Return the formats, of which a text has the shape of one at most."""
        return [form.strip() for form in self.format.split("|")] if self.format else []


def _refuse_look_alikes(forms: list[str]) -> None:
    """Raise FormatError for two formats between which only a guess could choose."""
    shapes = [re.sub("DD|MM|YY", "00", form) for form in forms]
    for place, shape in enumerate(shapes):
        if shape in shapes[:place]:
            first = forms[shapes.index(shape)]
            raise FormatError(
                f"{first!r} and {forms[place]!r} look alike: 03/04/05 could be read by both; "
                "keep the one that the file means."
            )


def _call(function: str, text: sql.Composable, *arguments: str) -> sql.Composable:
    literals = [sql.Literal(argument) for argument in arguments]
    name = sql.Identifier(*function.split("."))
    return sql.SQL("{}({})").format(name, sql.SQL(", ").join([text, *literals]))


def _variants(form: str, *, with_time: bool = False) -> list[Variant]:
    """Turn 'DD.MM.YYYY' into expressions that are tried in turn, two for a two-digit year."""
    parts = _parts(form)
    centuries = _CENTURIES if ("year", "YY") in parts else (("", r"(\d{4})"),)
    return [_variant(form, parts, year, with_time=with_time) for year in centuries]


def _variant(
    form: str, parts: list[tuple[str, str]], year: tuple[str, str], *, with_time: bool
) -> Variant:
    groups: dict[str, int] = {}
    pattern = ""
    for index, (kind, text) in enumerate(parts):
        if kind == "literal":
            pattern += r"\s+" if text.isspace() else re.escape(text)
            continue
        if kind in groups:
            raise FormatError(f"{form!r} names the {kind} twice.")
        groups[kind] = len(groups) + 1
        digits = year[1] if kind == "year" else _digits(kind, parts, index)
        pattern += _FIXED_WIDTH.get(text) or digits
    _check_groups(form, groups, with_time=with_time)
    return rf"^\s*{pattern}\s*$", year[0] + _iso(groups)


def _parts(form: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    position = 0
    for match in [*_SPLIT.finditer(form), None]:
        between = form[position : match.start() if match else len(form)]
        if between and re.search(r"[A-Za-z0-9\\]", between.replace("T", "", 1)):
            raise FormatError(
                f"{between!r} in {form!r} is not known; use {', '.join(_TOKENS)} "
                "and punctuation between them."
            )
        if between:
            parts.append(("literal", between))
        if match:
            parts.append((_TOKENS[match[0]], match[0]))
            position = match.end()
    return parts


def _digits(kind: str, parts: list[tuple[str, str]], index: int) -> str:
    """One or two digits where something stands between them, else exactly two."""
    neighbours = parts[max(index - 1, 0) : index] + parts[index + 1 : index + 2]
    is_alone = all(neighbour[0] in ("literal", "zone") for neighbour in neighbours)
    width = "{1,2}" if is_alone else "{2}"
    return rf"(\d{width}(?:[.]\d+)?)" if kind == "second" else rf"(\d{width})"


def _check_groups(form: str, groups: dict[str, int], *, with_time: bool) -> None:
    if missing := [part for part in ("year", "month", "day") if part not in groups]:
        raise FormatError(f"{form!r} has no {' and no '.join(missing)}; a date needs all three.")
    if not with_time and (extra := set(groups) - {"year", "month", "day"}):
        raise FormatError(f"{form!r} has the {min(extra)} of a timestamp; declare it as timestamp.")
    if "minute" in groups and "hour" not in groups:
        raise FormatError(f"{form!r} has minutes but no hours.")


def _iso(groups: dict[str, int]) -> str:
    date = rf"\{groups['year']}-\{groups['month']}-\{groups['day']}"
    if "hour" not in groups:
        return date
    parts = [rf"\{groups[p]}" if p in groups else "00" for p in ("hour", "minute", "second")]
    zone = rf"\{groups['zone']}" if "zone" in groups else ""
    return f"{date} {':'.join(parts)}{zone}"
