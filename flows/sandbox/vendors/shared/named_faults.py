"""The faults that have names, as far as they are faults of single requests.

The others are made by commands: late commits by `save`, hard deletes by `delete`, lost logs by
`forget_deletions`, caps and stuck pages by `rule`, withheld rows by `withhold_rows`...
"""

from typing import Any

JSON = {"Content-Type": "application/json;charset=UTF-8"}
PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
DATA = r"^/(services/data|v2\.0)/"

Faults = tuple[dict[str, Any], ...]

ODD_ANSWERS: Faults = (
    {"path": DATA, "status": 406},
    {"path": DATA, "status": 420, "body": PAGE.format("We are setting things up")},
    {"path": DATA, "status": 503, "body": PAGE.format("Service Unavailable")},
    {"path": DATA, "status": 200, "body": PAGE.format("Login")},
)

SALESFORCE: dict[str, Faults] = {
    "F13_locator_header_stripped": (
        {"path": "/results", "without": ["Sforce-Locator", "Sforce-NumberOfRecords"]},
    ),
    "F15_truncated_stream": ({"path": "/query", "cut_at": 0.6},),
    "F16_non_json_and_odd_status": ODD_ANSWERS,
    "F17_daily_limit": (
        {"path": DATA, "status": 403, "headers": JSON, "times": 1000,
         "body": '[{"message":"TotalRequests Limit exceeded.",'
         '"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'},
    ),
    "F17_concurrency_limit": (
        {"path": DATA, "status": 403, "headers": JSON,
         "body": '[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.",'
         '"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'},
    ),
    "F18_token_expires_on_the_way": (
        {"path": DATA, "skip": 2, "status": 401, "headers": JSON,
         "body": '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'},
    ),
    "F18_session_that_no_log_in_mends": (
        {"path": DATA, "status": 401, "headers": JSON, "times": 1000,
         "body": '[{"message":"This session is not valid for use with the REST API",'
         '"errorCode":"INVALID_SESSION_ID"}]'},
    ),
    "F21_write_retry_duplicates": (
        {"path": "/sobjects/", "method": "POST", "drop": True, "is_applied": True},
    ),
    "F23_lock_contention": (
        {"path": "/sobjects/", "method": "PATCH", "status": 400, "headers": JSON, "times": 2,
         "body": '[{"message":"unable to obtain exclusive access to this record",'
         '"errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]'},
    ),
    "query_timeout": (
        {"path": "/query", "status": 400, "headers": JSON,
         "body": '[{"message":"Your query request was running for too long.",'
         '"errorCode":"QUERY_TIMEOUT"}]'},
    ),
}  # fmt: skip

BUSINESS_CENTRAL: dict[str, Faults] = {
    "F15_truncated_stream": ({"path": "/customers", "cut_at": 0.6},),
    "F16_non_json_and_odd_status": ODD_ANSWERS,
    "F17_too_many_requests": (
        {"path": DATA, "status": 429, "headers": JSON, "times": 2,
         "body": '{"error":{"code":"Application_TooManyRequests",'
         '"message":"Too many requests reached. Actual (6001). Maximum (6000)."}}'},
    ),
    "F17_unavailable": (
        {"path": DATA, "status": 503, "headers": {**JSON, "Retry-After": "1"},
         "body": '{"error":{"code":"Internal_TenantUnavailable",'
         '"message":"The tenant is not accessible"}}'},
    ),
    "F18_token_expires_on_the_way": (
        {"path": DATA, "skip": 2, "status": 401, "headers": JSON,
         "body": '{"error":{"code":"Authentication_InvalidCredentials",'
         '"message":"The server has rejected the client credentials."}}'},
    ),
    "F21_write_retry_duplicates": (
        {"path": DATA, "method": "POST", "drop": True, "is_applied": True},
    ),
    "gateway_timeout": ({"path": DATA, "status": 504, "body": PAGE.format("Gateway Timeout")},),
}  # fmt: skip
