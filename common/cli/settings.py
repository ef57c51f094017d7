"""Settings of a variant's network: their names are checked, and `--set dropout=.5` changes them."""

import ast
import difflib
from collections.abc import Iterable
from dataclasses import replace
from math import inf

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
        Settings that the variant need not name, each with its default; where only some values are possible, a tuple of
        them, the default first; where there is no default, the type.

    Returns
    -------
    Variant
        Not primary; without changes, the variant as it is.

    Raises
    ------
    InputError
        If the variant has no network, several, or one of another kind than `defaults` describes; a change is not
        NAME=VALUE; a setting is not known, or changed twice; or its value is not possible.
    """
    if not changes:
        return variant
    if "network" not in variant.settings:
        raise InputError(f"--set {changes[0]}: {variant.name} has no network whose settings could change")
    if "networks" in variant.settings:
        raise InputError(f"--set {changes[0]}: {variant.name} trains several networks, each with its own settings")
    network, changed = variant.settings["network"], {}
    for name, choices in defaults.items():
        if isinstance(choices, tuple) and name in network and network[name] not in choices:
            why = f"the settings of {variant.name} cannot be changed: its {name} is {network[name]}"
            raise InputError(f"--set {changes[0]}: {why}")
    for change in changes:
        name, equals, _ = change.partition("=")
        known = network | defaults
        if not equals:
            raise InputError(f"--set {change}: is not NAME=VALUE, as dropout=.5")
        if name not in known:
            raise InputError(f"--set {change}: {_unknown(name, variant.name, known)}")
        if name in changed:
            raise InputError(f"--set {change}: {name} is set twice")
        changed[name] = _value(change, defaults.get(name), network.get(name))
    name = "_".join([variant.name, *(change.replace("=", "_").replace(" ", "") for change in changes)])
    title = ", ".join([variant.title, *(change.replace("=", " ") for change in changes)])
    settings = variant.settings | {"network": network | changed}
    return replace(variant, name=name, title=title, settings=settings, primary=False)


def _value(change: str, default, present):
    """The value of NAME=VALUE; default: as in `defaults`. Raises InputError if it is not possible."""
    name, _, text = change.partition("=")
    try:
        value = WORDS[text.lower()] if text.lower() in WORDS else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    known = present if default is None else default
    kind = known if isinstance(known, type) else type(known)
    value = float(value) if kind is float and type(value) is int else value
    if isinstance(default, tuple):
        possible = any(type(value) is type(choice) and value == choice for choice in default)
        what = "one of " + ", ".join(str(choice).lower() for choice in default)
    elif kind is float and name.endswith("dropout"):
        possible, what = type(value) is float and 0 <= value < 1, "a number from 0 to below 1"
    elif kind is float and (name.endswith("epsilon") or name.startswith(("lowest_", "highest_"))):  # of a log grid
        possible, what = type(value) is float and 0 < value < inf, "a number above 0"
    else:
        possible, what = {
            bool: (type(value) is bool, "true or false"),
            str: (type(value) is str, "a word"),
            int: (_is_whole(value), "a whole number of 1 or more"),
            float: (type(value) is float and 0 <= value < inf, "a number of 0 or more"),
            tuple: (
                type(value) is tuple and value and all(map(_is_whole, value)),
                "whole numbers in brackets, as (8,)",
            ),
        }.get(kind, (True, ""))  # of None or a list nothing is known
    if not possible:
        raise InputError(f"--set {change}: is not {what}")
    return value


def _is_whole(value) -> bool:
    return type(value) is int and value >= 1
