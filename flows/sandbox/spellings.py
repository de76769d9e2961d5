"""The ways in which people spell one company's name differently."""

import unicodedata
from collections.abc import Callable
from random import Random

from flows.sandbox.words import COUNTRIES

LEGAL_FORMS = sorted({form for c in COUNTRIES for form in c.legal_forms}, key=len, reverse=True)
LETTERS = str.maketrans({"ø": "o", "Ø": "O", "å": "a", "Å": "A", "ß": "ss", "ł": "l", "Ł": "L"})
LONG_LETTERS = str.maketrans(
    {"ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa", "ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue",
     "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)  # fmt: skip
SHORT_WORDS = {
    "Maschinenbau": "Maschb.",
    "Engineering": "Eng.",
    "Manufacturing": "Mfg",
    "Industrial": "Ind.",
    "Instruments": "Instr.",
    "Limited": "Ltd",
    "Aktiebolag": "AB",
}


def plain_letters(name: str) -> str:
    """Write a name without any mark on its letters."""
    decomposed = unicodedata.normalize("NFKD", name.translate(LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def long_letters(name: str) -> str:
    """Write ø as oe and ü as ue, as people do who lack the keys."""
    return name.translate(LONG_LETTERS)


def without_legal_form(name: str) -> str:
    """Leave out the legal form."""
    found = next((form for form in LEGAL_FORMS if name.endswith(f" {form}")), "")
    return name[: len(name) - len(found)].rstrip(" ,") or name


def upper_case(name: str) -> str:
    """Write a name in capitals."""
    return name.upper()


def abbreviated(name: str) -> str:
    """Shorten the words that people shorten."""
    words = (SHORT_WORDS.get(word, word) for word in name.split(" "))
    return " ".join(words).replace(" & ", " and ")


def with_comma(name: str) -> str:
    """Set the legal form off with a comma."""
    bare = without_legal_form(name)
    return name if bare == name else f"{bare}, {name[len(bare) :].strip()}"


def mistyped(name: str) -> str:
    """Swap two letters in the middle of the first word."""
    middle = max(1, len(name.split(" ", maxsplit=1)[0]) // 2)
    return name[:middle] + name[middle : middle + 2][::-1] + name[middle + 2 :]


SPELLINGS: dict[str, Callable[[str], str]] = {
    "without_legal_form": without_legal_form,
    "upper_case": upper_case,
    "plain_letters": plain_letters,
    "long_letters": long_letters,
    "abbreviated": abbreviated,
    "with_comma": with_comma,
    "mistyped": mistyped,
}


def respelled(name: str, random: Random) -> tuple[str, str]:
    """Return another spelling of a name and how it came about; 'same' when nothing differs."""
    how = random.choice(list(SPELLINGS))
    other = SPELLINGS[how](name)
    return (other, how) if other != name else (name, "same")
