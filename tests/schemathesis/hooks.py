"""What schemathesis does not know by itself: bodies of lines of JSON, pages for people, and
transactions to ask something of."""

import json
import os
import urllib.request

import schemathesis

NDJSON = "application/x-ndjson"

# The token of the document's examples. In its place comes that of a transaction that has just begun:
# one for all would have ended with the first commit.
EXAMPLE_TOKEN = os.environ["MONSTERDB_TOKEN"]


# The key of this run, mdb_<id>_<secret>. Ids are picked up from answers, so it has to be kept from
# being revoked.
KEY = os.environ["MONSTERDB_KEY"]
KEY_ID = KEY.split("_")[1]


@schemathesis.hook
def filter_case(ctx, case):
    """What has control characters in its head is no HTTP, and is refused by the reader of HTTP before
    there is a request that could have an id and a problem. tests/http/wire.rs sends such things."""
    values = (case.headers or {}).values()
    return not any(ord(c) < 32 or ord(c) == 127 for value in values for c in str(value))


@schemathesis.hook
def before_call(ctx, case, kwargs):
    parameters = case.path_parameters or {}
    if parameters.get("token") == EXAMPLE_TOKEN:
        parameters["token"] = begin()
    if parameters.get("key") == KEY_ID:
        parameters["key"] = "another"


def begin():
    url = os.environ["MONSTERDB_URL"] + "/transactions"
    request = urllib.request.Request(url, method="POST", headers={"X-API-Key": KEY})
    with urllib.request.urlopen(request) as begun:
        return json.load(begun)["token"]


def is_line(text):
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@schemathesis.serializer(NDJSON)
def serialize_lines(ctx, value):
    """The schema says that the body is text. Examples are lines already; of other text lines are
    made, and what is no text stands for a body that is no such lines."""
    if not isinstance(value, str):
        return b"no lines: " + repr(value).encode()
    lines = value.splitlines()
    if not all(map(is_line, lines)):
        lines = [json.dumps({"text": line}) for line in lines]
    return "".join(line + "\n" for line in lines).encode()


@schemathesis.deserializer(NDJSON, "text/html")
def deserialize_text(ctx, response):
    return response.content.decode()
