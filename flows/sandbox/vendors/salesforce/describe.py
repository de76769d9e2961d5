"""What the org says of its objects and fields."""

from typing import Any

from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.schema import LABELS, RESTRICTED, Entity, Field

SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}

# What describe says of every field and this org has no use for.
UNUSED: dict[str, Any] = {
    "aiPredictionField": False,
    "controllerName": None,
    "defaultValue": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "displayLocationInDecimal": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}


def summary(entity: Entity, version: str) -> dict[str, Any]:
    """Return an object as the list of all objects shows it."""
    base = f"/services/data/v{version}/sobjects/{entity.name}"
    is_custom = entity.name.endswith("__c")
    label = entity.name.removesuffix("__c").replace("_", " ")
    return {
        "name": entity.name,
        "label": label,
        "labelPlural": f"{label}s",
        "keyPrefix": entity.prefix,
        "custom": is_custom,
        "customSetting": False,
        "deprecatedAndHidden": False,
        "activateable": False,
        "createable": True,
        "deletable": entity.name != "User",
        "updateable": True,
        "undeletable": entity.name != "User",
        "mergeable": entity.name in ("Account", "Contact", "Lead"),
        "queryable": entity.is_queryable,
        "replicateable": entity.is_replicateable,
        "retrieveable": True,
        "searchable": True,
        "layoutable": True,
        "triggerable": True,
        "feedEnabled": False,
        "mruEnabled": True,
        "urls": {
            "sobject": base,
            "describe": f"{base}/describe",
            "rowTemplate": f"{base}/{{ID}}",
        },
    }


def described(org: Org, entity: Entity, version: str) -> dict[str, Any]:
    """Return an object with its fields and its children."""
    children = [
        {"childSObject": child, "field": field, "relationshipName": plural,
         "cascadeDelete": False, "deprecatedAndHidden": False, "restrictedDelete": False}
        for plural, (child, field) in org.children(entity.name)
    ]  # fmt: skip
    return {
        **summary(entity, version),
        "fields": [described_field(entity, one) for one in entity.fields.values()],
        "childRelationships": children,
        "recordTypeInfos": [],
        "supportedScopes": [],
    }


def described_field(entity: Entity, one: Field) -> dict[str, Any]:
    """Return one field."""
    is_number = one.type in ("double", "currency", "percent")
    can_write = not one.has("readonly")
    return {
        "name": one.name,
        "label": one.name.removesuffix("__c").replace("_", " "),
        "type": one.type,
        "soapType": SOAP_TYPES.get(one.type, "xsd:string"),
        "length": one.length,
        "byteLength": one.length * 3,
        "digits": 8 if one.type == "int" else 0,
        "precision": 18 if is_number else 0,
        "scale": 2 if one.type in ("currency", "percent") else 4 if is_number else 0,
        "nillable": not one.has("always"),
        "defaultedOnCreate": one.type == "boolean" or one.name == "OwnerId",
        "createable": can_write,
        "updateable": can_write,
        "externalId": one.has("external"),
        "idLookup": one.type == "id" or one.has("external"),
        "unique": one.has("external"),
        "caseSensitive": False,
        "autoNumber": one.has("numbered"),
        "calculated": one.has("calculated"),
        "calculatedFormula": None,
        "compoundFieldName": one.compound,
        "referenceTo": list(one.reference_to),
        "relationshipName": one.relationship,
        "polymorphicForeignKey": len(one.reference_to) > 1,
        "picklistValues": _choices(entity, one),
        "restrictedPicklist": (entity.name, one.name) in RESTRICTED,
        "custom": one.is_custom,
        "deprecatedAndHidden": False,
        "filterable": one.is_filterable,
        "sortable": one.is_filterable,
        "groupable": one.is_filterable and one.type not in ("datetime", "double", "currency"),
        "aggregatable": one.type != "boolean",
        "nameField": one.name == "Name",
        "namePointing": False,
        "permissionable": not one.has("always"),
        "htmlFormatted": False,
        "encrypted": False,
        "cascadeDelete": False,
        **UNUSED,
    }


def _choices(entity: Entity, one: Field) -> list[dict[str, Any]]:
    values = RESTRICTED.get((entity.name, one.name)) or LABELS.get((entity.name, one.name), ())
    return [
        {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
        for value in values
    ]
