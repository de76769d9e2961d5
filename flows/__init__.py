"""Concord: CRM and ERP in agreement. A module here is a flow; a package is a stage."""
