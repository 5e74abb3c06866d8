"""Keeps the fuzzer's own user and instance in place: a lucky number must not end the run for everything after it.

The operations themselves are all tried, with every other number.
"""

import os

import schemathesis

NOBODY = 999999999
# "users" and "instances": the numbers that are only looked at.
KEPT = {
    "/users/{id}": os.environ["FUZZ_KEPT_USERS"].split(","),
    "/instances/{id}": os.environ["FUZZ_KEPT_INSTANCES"].split(","),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() == "GET" or not case.path_parameters:
        return
    for part, kept in KEPT.items():
        if part in case.path and str(case.path_parameters.get("id")) in kept:
            if part == "/users/{id}" or case.method.upper() == "DELETE":
                case.path_parameters["id"] = NOBODY
