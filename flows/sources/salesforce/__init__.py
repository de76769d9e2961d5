"""Salesforce: standard and custom objects over REST and Bulk API 2.0."""
