"""Settings of a variant's network: their names are checked, and `--set dropout=.5` changes them."""

import ast
import difflib
from collections.abc import Iterable
from dataclasses import replace

from common.errors import InputError
from common.experiment import Variant

WORDS = {"true": True, "false": False, "none": None}


def check_names(variants: Iterable[Variant], defaults: dict) -> None:
    """Refuse a setting that no network reads, such as a misspelled one.

    Parameters
    ----------
    variants : iterable of Variant
        Those without a network are not checked.
    defaults : dict
        As of `with_settings`. Known are these settings, and those that the networks of primary variants name (of all
        variants, if none is primary).

    Raises
    ------
    InputError
        If a setting is not known; names the variant, the setting, and the settings that there are.
    """
    with_network = [variant for variant in variants if "network" in variant.settings]
    primary = [variant for variant in with_network if variant.primary] or with_network
    known = set(defaults).union(*(variant.settings["network"] for variant in primary))
    for variant in with_network:
        for name in variant.settings["network"].keys() - known:
            raise InputError(f"variant {variant.name}: {_unknown(name, 'its network', known)}")


def _unknown(name: str, owner: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"no setting is called {name!r}{hint} The settings of {owner} are {', '.join(sorted(known))}"


def with_settings(variant: Variant, changes: list[str], defaults: dict) -> Variant:
    """A variant with other settings of its network, and a name and a title that say which.

    Parameters
    ----------
    variant : Variant
    changes : list of str
        As "dropout=.5".
    defaults : dict
        Settings that the variant need not name, with their values; of several choices a tuple, the default first.

    Returns
    -------
    Variant
        Not primary; without changes, the variant as it is.

    Raises
    ------
    InputError
        If the variant has no network, several, or one with none of the choices; a change is not NAME=VALUE; a setting
        is not known; or its value is of another type, none of the choices, a number below 0, a whole one below 1, or a
        dropout rate outside [0, 1).
    """
    if not changes:
        return variant
    if "network" not in variant.settings:
        raise InputError(f"--set {changes[0]}: {variant.name} has no network whose settings could change")
    if "networks" in variant.settings:
        raise InputError(f"--set {changes[0]}: {variant.name} trains several networks, each with its own settings")
    network = dict(variant.settings["network"])
    for name, choices in defaults.items():
        if isinstance(choices, tuple) and name in network and network[name] not in choices:
            what = f"a network of its own ({name} {network[name]}), whose settings are fixed"
            raise InputError(f"--set {changes[0]}: {variant.name} trains {what}")
    for change in changes:
        name, equals, text = change.partition("=")
        known = defaults | network
        if not equals:
            raise InputError(f"--set {change}: is not NAME=VALUE, as dropout=.5")
        if name not in known:
            raise InputError(f"--set {change}: {_unknown(name, variant.name, known)}")
        choices = defaults.get(name) if isinstance(defaults.get(name), tuple) else None
        network[name] = _value(change, text, known[name], choices)
    changed = ", ".join(change.replace("=", " ") for change in changes)
    name = "_".join([variant.name, *(change.replace("=", "_").replace(" ", "") for change in changes)])
    settings = variant.settings | {"network": network}
    return replace(variant, name=name, title=f"{variant.title}, {changed}", settings=settings, primary=False)


def _is_rate(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1


def _value(change: str, text: str, before, choices: tuple | None):
    """A value from its text. Raises InputError if it is none of the choices, or of another type than before."""
    try:
        value = WORDS[text.lower()] if text.lower() in WORDS else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if choices:
        if value not in choices:
            raise InputError(f"--set {change}: is none of {', '.join(map(str, choices))}")
        return value
    if change.partition("=")[0].endswith("dropout") and value is not None and not _is_rate(value):
        raise InputError(f"--set {change}: a rate of dropout is a number from 0 on and below 1")
    number = isinstance(before, float) and isinstance(value, int) and not isinstance(value, bool)
    if before is not None and value is not None and not number and type(value) is not type(before):
        raise InputError(f"--set {change}: {text!r} is no {type(before).__name__}, as {before!r} is")
    value = float(value) if number else value
    for one in value if isinstance(value, tuple) else (value,):
        if (type(one) is int and one < 1) or (type(one) is float and one < 0):
            raise InputError(f"--set {change}: a number here is not negative, and a whole one is 1 or more")
    return value
