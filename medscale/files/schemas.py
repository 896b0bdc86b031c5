"""Checking configuration and sheets against JSON schemas, with errors a user can act on."""

from pathlib import Path
from typing import Any

from medscale.errors import InputError
from medscale.files.tables import read_json


def check_against_schema(content: Any, schema_path: str | Path, where: str | Path) -> None:
    """Raise an `InputError` for the first thing in `content` that the schema does not allow.

    Parameters
    ----------
    content : dict or list
    schema_path : str or Path
        A JSON schema; its `description`s tell the reader what was expected.
    where : str or Path
        The file that `content` came from, for the message.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(read_json(schema_path))
    errors = sorted(validator.iter_errors(content), key=lambda error: [str(part) for part in error.path])
    if not errors:
        return
    error = errors[0]
    place = ".".join(str(part) for part in error.absolute_path) or "the top level"
    description = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    more = f" ({len(errors) - 1} more to mend after this one)" if len(errors) > 1 else ""
    raise InputError(
        f"{where}, {place}",
        error.message,
        description or f"what {Path(schema_path).name} allows there",
        f"Correct it{more}.",
    )
