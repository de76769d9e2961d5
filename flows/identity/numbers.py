"""Tax and registration numbers of companies, checked by the rules of the country of issue."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from stdnum import get_cc_module


@dataclass(frozen=True)
class Checked:
    """What a number is: its bare form, whether it is right, and who issued which kind of it."""

    standard: str | None
    is_valid: bool | None
    issuer: str | None


@dataclass(frozen=True)
class Scheme:
    """One kind of number: stdnum's module for it and what of it names the company."""

    label: str
    module: str
    core: Callable[[str], str] = str


UNKNOWN = Checked(standard=None, is_valid=None, issuer=None)
WRONG = Checked(standard=None, is_valid=False, issuer=None)

# Kinds of one country that say the same share a label: a Norwegian VAT number is the organisation
# number with three letters, a French one holds the SIREN. Other countries: stdnum's own choice.
SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "NO": (Scheme("org", "no.orgnr"),),
    "SE": (Scheme("org", "se.vat", lambda number: number[:10]), Scheme("org", "se.orgnr")),
    "DK": (Scheme("org", "dk.cvr"),),
    "FI": (Scheme("org", "fi.ytunnus"), Scheme("org", "fi.alv")),
    "FR": (
        Scheme("org", "fr.siren"),
        Scheme("org", "fr.siret", lambda number: number[:9]),
        Scheme("org", "fr.tva", lambda number: number[-9:]),
    ),
    "BE": (Scheme("org", "be.vat"),),
    "IT": (Scheme("org", "it.iva"),),
    "ES": (Scheme("org", "es.nif"),),
    "CH": (Scheme("org", "ch.uid"),),
    "DE": (Scheme("vat", "de.vat"), Scheme("tax", "de.stnr")),
    "GB": (Scheme("vat", "gb.vat"), Scheme("tax", "gb.utr")),
    "NL": (Scheme("vat", "nl.btw"),),
    "AT": (Scheme("vat", "at.uid"), Scheme("register", "at.businessid")),
    "PL": (Scheme("vat", "pl.nip"), Scheme("register", "pl.regon")),
    "US": (Scheme("ein", "us.ein"),),
    "AU": (Scheme("abn", "au.abn"), Scheme("acn", "au.acn")),
}
# Where the company register's numbers carry a check digit; elsewhere nobody can say.
CHECKED_REGISTERS = frozenset({"NO", "SE", "DK", "FI", "FR", "BE", "IT", "ES", "CH"})
# Prefixes that are not the country's own code.
PREFIXES = {"EL": "GR", "XI": "GB", "CHE": "CH"}
# Letters that say what the number is for.
MARKS = {"NO": r"MVA$", "CH": r"(MWST|TVA|IVA|VAT)$", "JP": r"^T(?=[0-9]{13}$)"}
UNCHECKED_LENGTH = {"GB": 8}


def check(kind: str, number: str, country: str) -> Checked:
    """Check a number without punctuation by its own prefix, else by the country of its record."""
    issuers = [issuer for issuer in dict.fromkeys((_prefix(number)[1], country)) if issuer]
    for issuer in issuers:
        if (found := _valid(number, issuer)) is not None:
            return found
    checkable = [issuer for issuer in issuers if _can_be_checked(kind, issuer)]
    if checkable:
        return WRONG
    return _unchecked(number, country) if issuers else UNKNOWN


def _valid(number: str, issuer: str) -> Checked | None:
    for scheme in _schemes(issuer):
        module = _module(scheme.module)
        for text in _spellings(number, issuer):
            if module.is_valid(text):
                core = scheme.core(str(module.compact(text)))
                return Checked(standard=core, is_valid=True, issuer=f"{issuer}-{scheme.label}")
    return None


def _spellings(number: str, issuer: str) -> Iterator[str]:
    prefix, named = _prefix(number)
    bare = number[len(prefix) :] if named == issuer else number
    bare = re.sub(MARKS.get(issuer, "$"), "", bare)
    yield bare
    yield prefix + bare


def _prefix(number: str) -> tuple[str, str]:
    """Return the country prefix as written, and the country that it stands for."""
    for length in (3, 2):
        prefix = number[:length]
        if prefix in PREFIXES:
            return prefix, PREFIXES[prefix]
    is_prefix = re.match(r"[A-Z]{2}[0-9A-Z]*[0-9]{5}", number) and _schemes(number[:2])
    return (number[:2], number[:2]) if is_prefix else ("", "")


def _can_be_checked(kind: str, issuer: str) -> bool:
    return bool(_schemes(issuer)) and (kind == "tax_id" or issuer in CHECKED_REGISTERS)


def _unchecked(number: str, country: str) -> Checked:
    length = UNCHECKED_LENGTH.get(country, 0)
    return Checked(number.zfill(length) if number.isdigit() else number, None, country)


@cache
def _schemes(issuer: str) -> tuple[Scheme, ...]:
    if issuer in SCHEMES:
        return SCHEMES[issuer]
    module = get_cc_module(issuer.lower(), "vat") if re.fullmatch("[A-Z]{2}", issuer) else None
    name = getattr(module, "__name__", "").removeprefix("stdnum.")
    return (Scheme("vat", name),) if name else ()


@cache
def _module(name: str) -> ModuleType:
    return import_module(f"stdnum.{name}")
