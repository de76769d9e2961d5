"""What `$metadata` says: the entity sets, and the properties of each that may be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from flows.core.errors import TruncatedAnswerError
from flows.sources.http import Answer

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@dataclass(frozen=True)
class EntitySet:
    """One set: its properties with their types, and the sets that it leads to."""

    name: str
    properties: Mapping[str, str]
    leads_to: Mapping[str, str] = field(default_factory=dict)  # navigation: name of the type


@dataclass(frozen=True)
class Metadata:
    """All sets by name, and the properties of every type."""

    sets: Mapping[str, EntitySet]
    types: Mapping[str, Mapping[str, str]]

    def expanded(self, name: str, navigation: str) -> Mapping[str, str]:
        """Return the properties of what a set leads to, none where it does not."""
        found = self.sets.get(name)
        return self.types.get(found.leads_to.get(navigation, ""), {}) if found else {}


def metadata_of(answer: Answer) -> Metadata:
    """Read the document; raises TruncatedAnswerError when it is not whole."""
    try:
        root = ET.fromstring(answer.content)  # noqa: S314 - of the vendor's own server
    except ET.ParseError as error:
        raise TruncatedAnswerError(f"$metadata is no complete XML ({error})") from error
    types: dict[str, dict[str, str]] = {}
    leading: dict[str, dict[str, str]] = {}
    for schema in root.iter(f"{EDM}Schema"):
        namespace = schema.get("Namespace", "")
        for kind in schema.iter(f"{EDM}EntityType"):
            name = f"{namespace}.{kind.get('Name')}"
            types[name] = {
                one.get("Name", ""): one.get("Type", "") for one in kind.iter(f"{EDM}Property")
            }
            leading[name] = {
                one.get("Name", ""): one.get("Type", "").removeprefix("Collection(").rstrip(")")
                for one in kind.iter(f"{EDM}NavigationProperty")
            }
    sets = {
        one.get("Name", ""): EntitySet(
            one.get("Name", ""),
            types.get(one.get("EntityType", ""), {}),
            leading.get(one.get("EntityType", ""), {}),
        )
        for one in root.iter(f"{EDM}EntitySet")
    }
    return Metadata(sets, types)
