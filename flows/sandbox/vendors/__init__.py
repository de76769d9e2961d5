"""The sandbox company served as a Salesforce org and as a Business Central tenant, on loopback.

Each server is strict, it refuses what the vendor refuses, and scriptable: faults, clock, quotas
and permissions are set from outside. Nothing here is shared with the connectors that read it.
"""
