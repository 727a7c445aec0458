"""A key that makes a create repeatable is unique by its nature: a generator that sends "0" with every body is told
so, with 422. That is tested in tests/it/sandbox/http.rs; here each well-formed key becomes a unique one."""

import itertools
import re

import schemathesis

COUNTER = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,200}", key):
        case.headers["Idempotency-Key"] = f"{key}-{next(COUNTER)}"
