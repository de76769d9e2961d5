"""$metadata: the sets and their properties as OData v4 describes them."""

from xml.sax.saxutils import quoteattr

from flows.sandbox.vendors.business_central.rendering import visible_properties
from flows.sandbox.vendors.business_central.schema import EDM, EntitySet, Navigation, Property
from flows.sandbox.vendors.business_central.tenant import Tenant

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="Microsoft.NAV" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"


def metadata(tenant: Tenant) -> bytes:
    """Return the document."""
    sets = tenant.schema.sets.values()
    types = "".join(_type(tenant, one) for one in sets)
    listed = "".join(_set(one) for one in sets)
    container = f'<EntityContainer Name="NAV">{listed}</EntityContainer>'
    return f"{HEAD}{types}{container}{TAIL}".encode()


def _type(tenant: Tenant, entity: EntitySet) -> str:
    properties = "".join(map(_property, visible_properties(tenant, entity).values()))
    leading = "".join(_navigation(tenant, one) for one in entity.navigations.values())
    key = f"<Key><PropertyRef Name={quoteattr(entity.key)} /></Key>"
    return f"<EntityType Name={quoteattr(entity.kind)}>{key}{properties}{leading}</EntityType>"


def _property(one: Property) -> str:
    length = f' MaxLength="{one.length}"' if one.type == "string" and one.length else ""
    scale = ' Scale="Variable"' if one.type == "decimal" else ""
    return f"<Property Name={quoteattr(one.name)} Type={quoteattr(EDM[one.type])}{length}{scale} />"


def _navigation(tenant: Tenant, one: Navigation) -> str:
    kind = f"Microsoft.NAV.{tenant.schema.find(one.target).kind}"
    whole = f"Collection({kind})" if one.is_many else kind
    return f"<NavigationProperty Name={quoteattr(one.name)} Type={quoteattr(whole)} />"


def _set(one: EntitySet) -> str:
    bindings = "".join(
        f"<NavigationPropertyBinding Path={quoteattr(leading.name)} "
        f"Target={quoteattr(leading.target)} />"
        for leading in one.navigations.values()
    )
    kind = quoteattr(f"Microsoft.NAV.{one.kind}")
    return f"<EntitySet Name={quoteattr(one.name)} EntityType={kind}>{bindings}</EntitySet>"
