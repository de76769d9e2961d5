"""Many companies as a CRM and an ERP might hold them, with the pairs that are the same."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from flows.sandbox.spellings import plain_letters
from flows.sandbox.words import COUNTRIES, Country, Town

SYLLABLES = re.findall(
    r"\w+",
    "ba be bo bra dal den do el en er fal fjor ga gol gra hal han hol il in ja jor ka kel kro la "
    "len lin lo ma mar mi mo na nes no ol or pa per ra ren ri ro sa sel si so sta ta tel to tor "
    "ul va vel vi vo wal wen yl za",
)
SHARE_IN_BOTH = 0.7
SYSTEMS = ("crm", "erp")
TRUTH = ("left_source", "left_key", "right_source", "right_key")


@dataclass(frozen=True)
class Company:
    """One company as it is; each system writes it in its own way."""

    number: int
    name: str
    legal_form: str
    country: Country
    town: Town
    postal_code: str
    street: str
    phone: str
    domain: str


def write_companies(folder: Path, *, records: int, seed: int = 7) -> Path:
    """Write that many accounts and customers, a share of them in both, and return the truth."""
    in_both = int(records * SHARE_IN_BOTH)
    numbers = {
        "crm": range(records),
        "erp": [*range(in_both), *range(records, 2 * records - in_both)],
    }
    for system, chosen in numbers.items():
        _write_system(folder / system, system, (company(n, seed) for n in chosen), seed)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(TRUTH)
        rows.writerows(("crm", _key("crm", n), "erp", _key("erp", n)) for n in range(in_both))
    return folder / "truth.csv"


def write_new_companies(folder: Path, *, records: int, more: int, seed: int = 7) -> None:
    """Replace the files by ones with only that many new companies, all of them in both."""
    first = 2 * records
    for system in SYSTEMS:
        companies = (company(n, seed) for n in range(first, first + more))
        _write_system(folder / system, system, companies, seed, day=2)


def company(number: int, seed: int) -> Company:
    """Make up one company; the same number and seed make the same one."""
    random = Random(f"{seed}/{number}")
    country = random.choice(COUNTRIES)
    town = random.choice(country.towns)
    stem = "".join(random.choices(SYLLABLES, k=random.choice((2, 3, 3)))).capitalize()
    words = [stem, random.choice(country.trades)]
    if random.random() < 0.25:
        words.insert(0, random.choice(country.stems))
    # Real towns have many postal codes; the last digits are made up.
    digits = f"{random.randrange(40):02d}"
    return Company(
        number,
        " ".join(words),
        random.choice(country.legal_forms),
        country,
        town,
        town.postal_code[:-2] + digits,
        f"{random.choice(country.streets)} {random.randrange(1, 300)}",
        f"{country.dialling_code}{random.randrange(20_000_000, 99_999_999)}",
        f"{plain_letters(stem).lower()}{random.randrange(99)}.example",
    )


def _key(system: str, number: int) -> str:
    return f"{'A' if system == 'crm' else 'C'}{number:07d}"


def _write_system(
    folder: Path, system: str, companies: Iterable[Company], seed: int, day: int = 1
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, Callable[[Company, str], dict[str, Any]]] = (
        {"accounts": _account} if system == "crm" else {"customers": _customer, "addresses": _site}
    )
    files = {name: (folder / f"{name}.jsonl").open("w", encoding="utf-8") for name in shapes}
    moment = f"2026-01-{day:02d}T00:00:00Z"
    common = {"is_deleted": False, "created_at": moment, "modified_at": moment}
    for one in _as_written(companies, system, seed):
        for name, shape in shapes.items():
            files[name].write(json.dumps(shape(one, _key(system, one.number)) | common) + "\n")
    for file in files.values():
        file.close()


def _as_written(companies: Iterable[Company], system: str, seed: int) -> Iterator[Company]:
    """Spell companies as one system's clerks do: mostly well, at times not."""
    for one in companies:
        random = Random(f"{seed}/{system}/{one.number}")
        name = one.name if random.random() < 0.9 else _mistyped(one.name, random)
        form = one.legal_form if random.random() < 0.8 else ""
        full = f"{name} {form}".strip()
        yield replace(
            one,
            name=full.upper() if random.random() < 0.15 else full,
            street=one.street if random.random() < 0.85 else one.street.replace("aße", "."),
            phone=one.phone if random.random() < 0.8 else "",
            postal_code=one.postal_code if random.random() < 0.93 else "",
        )


def _mistyped(name: str, random: Random) -> str:
    place = random.randrange(1, len(name) - 1)
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def _account(one: Company, key: str) -> dict[str, Any]:
    return {
        "account_id": key,
        "name": one.name,
        "type": "customer",
        "phone": one.phone,
        "email": f"info@{one.domain}",
        "billing_street": one.street,
        "billing_city": one.town.city,
        "billing_postal_code": one.postal_code,
        "billing_country": one.country.code,
        "currency": one.country.currency,
    }


def _customer(one: Company, key: str) -> dict[str, Any]:
    return {
        "customer_id": key,
        "customer_number": key[1:],
        "name": one.name,
        "phone": one.phone,
        "email": f"invoice@{one.domain}",
        "currency": one.country.currency,
    }


def _site(one: Company, key: str) -> dict[str, Any]:
    return {
        "address_id": key.replace("C", "S"),
        "customer_id": key,
        "role": "both",
        "addressee": one.name,
        "street": one.street,
        "city": one.town.city,
        "region": one.town.region,
        "postal_code": one.postal_code,
        "country": one.country.code,
    }
