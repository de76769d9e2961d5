"""A Salesforce org of the sandbox company: REST, SOQL, replication and Bulk API 2.0."""
