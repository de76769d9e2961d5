"""Fills an org with the company, and plays its days."""

from datetime import datetime

from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.translate import Item, Translator
from flows.sandbox.vendors.salesforce.values import flag
from flows.sandbox.vendors.shared.company import Company, moment

UNDELETED_AFTER = 1


class Story:
    """The company's CRM, from its export on, day by day."""

    def __init__(self, org: Org, company: Company, translator: Translator | None = None) -> None:
        self._org = org
        self._company = company
        self._translator = translator or Translator()
        self.day = 0
        for item in self._translator.items(company):
            self._save(item, moment(item.row, "modified_at"))

    def _save(self, item: Item, stamp: datetime) -> None:
        created_at = moment(item.row, "created_at")
        self._org.save(item.entity, item.id, item.values, stamp=stamp, created_at=created_at)

    def play_day(self) -> int:
        """Let the next day of business happen now; return which one it was."""
        self.day += 1
        binned = self._binned_contacts()[:UNDELETED_AFTER]
        for item in self._translator.items(self._company.day(self.day)):
            self._happen(item)
        for key in binned:
            self._org.undelete("Contact", key)
        return self.day

    def _binned_contacts(self) -> list[str]:
        records = self._org.store["Contact"].records.values()
        return sorted(record.key for record in records if record.is_deleted)

    def _happen(self, item: Item) -> None:
        """Let one record be made, changed, merged or deleted, stamped with the time here."""
        master = item.row.get("merged_into_id")
        if flag(item.row.get("is_deleted")):
            self._org.delete(item.entity, item.id)
        elif master:
            self._org.merge(item.entity, salesforce_id(item.entity, str(master)), item.id)
        elif self._differs(item):
            self._org.save(item.entity, item.id, item.values)

    def _differs(self, item: Item) -> bool:
        known = self._org.values(item.entity, item.id) or {}
        return any(known.get(name) != value for name, value in item.values.items())
