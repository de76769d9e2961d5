"""Doubtful pairs as a person reads them: both records side by side, and weight by weight."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.core.ownership import ownership_rules
from flows.identity.review import Doubt
from flows.identity.rulings import SHOWN

KIND = {"accounts": "crm", "customers": "erp"}
OWNED = {"phones": "phone", "emails": "email", "website_domain": "website"}
ADDRESS = frozenset({"street", "house_number", "postal_code", "city", "region", "country"})
LONGEST = 80
BITS_PER_BLOCK = 1.0
MOST_BLOCKS = 12


def title(doubt: Doubt) -> str:
    """Say in one line which records they are, so that a form can be filled in without the page."""
    return f"{_who(doubt.left, doubt.left_record)} = {_who(doubt.right, doubt.right_record)} ?"


def hint(doubt: Doubt) -> str:
    """Say below the title all that is known, so that one can decide without the page."""
    fields = _fields(doubt)
    both = [name for name in fields if name in doubt.left and name in doubt.right]
    same = [name for name in both if doubt.left[name] == doubt.right[name]]
    different = [
        f"{_spoken(name)} {_value(doubt.left[name])} / {_value(doubt.right[name])}"
        for name in both
        if name not in same
    ]
    told = {
        "Why": list(doubt.why),
        "Same": [f"{_spoken(name)} {_value(doubt.left[name])}" for name in same],
        "Different": different,
        f"Only in {_place(doubt.left_record)}": _only(doubt.left, doubt.right, fields),
        f"Only in {_place(doubt.right_record)}": _only(doubt.right, doubt.left, fields),
        "In bits": [f"{_spoken(name)} {bits:+.1f}" for name, bits in _strongest(doubt)],
    }
    return f"{_chance(doubt)}. " + " ".join(
        f"{what}: {'; '.join(parts)}." for what, parts in told.items() if parts
    )


def page(doubts: Sequence[Doubt], waiting: int, links: Mapping[str, str] | None = None) -> str:
    """Return the whole page; `links` are the titles and addresses of charts."""
    head = [
        "# Are these the same?",
        f"{len(doubts)} of {waiting:,} doubtful pairs, the most valuable first.",
    ]
    if links:
        head.append("Charts: " + " · ".join(f"[{name}]({url})" for name, url in links.items()))
    return "\n\n".join([*head, *(section(n, one) for n, one in enumerate(doubts, 1))]) + "\n"


def section(number: int, doubt: Doubt) -> str:
    """Return one pair: the question, both records side by side, and why they might match."""
    parts = [
        f"## {number}. {escaped(title(doubt))}",
        f"**{_chance(doubt)}.** {_sentence(doubt.why)}",
    ]
    parts.append(side_by_side(doubt))
    if doubt.weights:
        parts.append(weight_by_weight(doubt))
    if doubt.earlier:
        parts.append(_ruled_before(doubt, doubt.earlier))
    return "\n\n".join(parts)


def side_by_side(doubt: Doubt) -> str:
    """Return both records as a table, with what would be published if they were the same."""
    together = survivor(doubt)
    rows = [
        [
            "",
            escaped(_place(doubt.left_record)),
            escaped(_place(doubt.right_record)),
            "",
            "together",
        ],
        ["---"] * 5,
        ["id now", doubt.left_id or "-", doubt.right_id or "-", "", ""],
        *(_compared(doubt, name, together.get(name, "")) for name in _fields(doubt)),
    ]
    width = 5 if together else 4
    return "\n".join(f"| {' | '.join(row[:width])} |" for row in rows)


def _compared(doubt: Doubt, name: str, together: str) -> list[str]:
    left, right = doubt.left.get(name), doubt.right.get(name)
    mark = "=" if left == right else "≠" if left and right else ""
    return [_spoken(name), escaped(_value(left)), escaped(_value(right)), mark, escaped(together)]


def weight_by_weight(doubt: Doubt) -> str:
    """Return what each comparison added to the probability or took from it, in bits."""
    lines = ["| compared | found | bits | |", "|---|---|---:|---|"]
    for name, bits in _strongest(doubt):
        found = doubt.levels.get(name, "")
        lines.append(f"| {_spoken(name)} | {escaped(found)} | {bits:+.1f} | {_bar(bits)} |")
    if doubt.match_weight is not None:
        lines.append(f"| **together** | | **{doubt.match_weight:+.1f}** | {_chance(doubt)} |")
    return "\n".join(lines)


def survivor(doubt: Doubt) -> dict[str, str]:
    """Return the values that a customer made of both would have, by the ownership rules."""
    kinds = [KIND.get(_parts(record)[1]) for record in (doubt.left_record, doubt.right_record)]
    if doubt.domain != "customers" or None in kinds:
        return {}
    owners = {rule.field: rule for rule in ownership_rules() if rule.entity == "customers"}
    return {
        name: "both are kept" if name in ADDRESS else _kept(doubt, name, kinds, owners)
        for name in _fields(doubt)
    }


def _kept(doubt: Doubt, name: str, kinds: Sequence[str | None], owners: Mapping[str, Any]) -> str:
    left, right = doubt.left.get(name), doubt.right.get(name)
    if not left or not right or left == right:
        return _value(left or right)
    rule = owners.get(OWNED.get(name, name))
    if rule is None:
        return "both are kept"
    if rule.mode == "most_recent" or kinds[0] == kinds[1]:
        return "the newer one"
    return _value(left if kinds[0] == rule.owner else right)


def _ruled_before(doubt: Doubt, earlier: Mapping[str, Any]) -> str:
    reason = f" ({earlier['reason']})" if earlier["reason"] else ""
    before = earlier["compared"] or {}
    values = "; ".join(
        f"{place}: " + ", ".join(_told(before[place], doubt.domain))
        for place in ("left", "right")
        if before.get(place)
    )
    return (
        f"Ruled **{earlier['ruling']}** by {earlier['decided_by']} on "
        f"{earlier['decided_at']:%Y-%m-%d}{reason}. It holds until it is ruled anew. "
        f"The values then: {escaped(values)}"
    )


def _only(here: Mapping[str, Any], there: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    return [f"{_spoken(n)} {_value(here[n])}" for n in fields if n in here and n not in there]


def _strongest(doubt: Doubt) -> list[tuple[str, float]]:
    return sorted(doubt.weights.items(), key=lambda item: -abs(item[1]))


def _told(values: Mapping[str, Any], domain: str) -> Iterator[str]:
    for name in SHOWN[domain]:
        if name in values:
            yield f"{_spoken(name)} {_value(values[name])}"


def _fields(doubt: Doubt) -> list[str]:
    return [name for name in SHOWN[doubt.domain] if name in doubt.left or name in doubt.right]


def _who(values: Mapping[str, Any], record: str) -> str:
    name = values.get("name") or values.get("full_name") or _full_name(values) or "no name"
    town = values.get("city") or values.get("postal_code") or ""
    return f"{_value(name)}{f', {_value(town)}' if town else ''} ({_place(record)})"


def _full_name(values: Mapping[str, Any]) -> str:
    return " ".join(str(values[k]) for k in ("first_name", "last_name") if values.get(k))


def _place(record: str) -> str:
    source, _, key = _parts(record)
    return f"{source} {key}"


def _parts(record: str) -> tuple[str, str, str]:
    source, entity, key = record.split("|", 2)
    return source, entity, key


def _chance(doubt: Doubt) -> str:
    chance = f"{doubt.probability:.1%}" if doubt.probability is not None else "not scored"
    return f"{chance}, {doubt.value:,.0f} of orders" if doubt.value else chance


def _sentence(why: Sequence[str]) -> str:
    told = "; ".join(why)
    return f"{told[:1].upper()}{told[1:]}."


def _bar(bits: float) -> str:
    blocks = "█" * min(MOST_BLOCKS, max(1, round(abs(bits) / BITS_PER_BLOCK)))
    return f"{'speaks for it' if bits > 0 else 'speaks against it'} {blocks}" if bits else ""


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    if value is None:
        return ""
    text = ", ".join(_listed(value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _listed(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        text = str(value)
        yield _place(text) if text.count("|") > 1 else text


def escaped(text: str) -> str:
    """Return text that neither breaks out of a table cell nor turns into markup."""
    for mark in "\\`*_{}[]<>#|":
        text = text.replace(mark, f"&#{ord(mark)};")
    return text
