"""JSON schemas of what verdicts are made from: published cells (`expected`), records of runs and of benchmarks; and of
what an entry of a leaderboard has in addition to a record (`entry`).

Each is a file of this folder, <name>.json, in the 2020-12 draft (json-schema.org).
"""

import contextlib
import json
import reprlib
from functools import cache
from pathlib import Path

from common.errors import InputError


def validate(value, schema: str, path: Path) -> None:
    """Check the content of a JSON file.

    Parameters
    ----------
    value : of dict, list, str, numbers, bool and None
        What was read from the file.
    schema : str
        Its name, as "record".
    path : Path
        Of the file, for the message.

    Raises
    ------
    InputError
        If the content is not what the schema asks for. In one line: the file, the first field that is wrong (as
        cells[3].std), and what is expected there.
    """
    with contextlib.suppress(ValueError):  # of what JSON may hold and Rust may not, as half a surrogate pair
        if _is_valid(schema)(value):
            return
    error = next(_errors(schema)(value), None)
    if error is not None:
        field = error.json_path.removeprefix("$").removeprefix(".")
        message = error.message.replace(repr(error.instance), reprlib.repr(error.instance))
        hint = f" ({error.schema['description']})" if "description" in error.schema else ""
        raise InputError(f"{path}: {field + ': ' if field else ''}{message}{hint}")


def _read(schema: str) -> dict:
    return json.loads(Path(__file__).with_name(f"{schema}.json").read_text(encoding="utf-8"))


@cache
def _is_valid(schema: str):
    """A function that says whether a value is valid, fifty times as fast as the one that says why not."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(_read(schema)).is_valid


@cache
def _errors(schema: str):
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_read(schema)).iter_errors
