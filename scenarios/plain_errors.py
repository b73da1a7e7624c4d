"""pydantic's validation errors in plain words: what is wrong, and what to write instead."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from scenarios.plain_text import SHOWN, quoted
from scenarios.units import Form, OddNumber, Unitless
from scenarios.yaml_values import Where


class Place(NamedTuple):
    """What the schema has at an error's location: the `path` in the file, and what stands there."""

    path: Where
    annotation: Any
    metadata: Sequence[Any]
    model: type[BaseModel] | None
    description: str

    @property
    def form(self) -> Form | None:
        """How people write the number that belongs here, if it has a unit."""
        _, metadata = _bare(self.annotation, self.metadata)
        return next((item for item in metadata if isinstance(item, Form)), None)


def plain(
    error: ErrorDetails, root: type[BaseModel], written: Callable[[Where], str | None]
) -> tuple[Where, str]:
    """Where in the file `error` is, and a message. `written` gives the text of a scalar there."""
    kind, context = error["type"], error.get("ctx", {})
    place = _locate(error["loc"], root)
    if kind == "union_tag_invalid":
        field = context["discriminator"].strip("'")
        tag = (*place.path, field)
        known = _kinds(context["expected_tags"])
        near = get_close_matches(str(context["tag"])[:SHOWN], known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        noun = "a kind" if field == "kind" else "known"
        return tag, f"{written(tag)} is not {noun}; {guess}write one of {', '.join(known)}"
    if kind == "union_tag_not_found":
        known = _union_kinds(place.annotation)
        field = context["discriminator"].strip("'")
        return (*place.path, field), f"is missing; write one of {', '.join(known)}"
    shown = written(place.path) or _shape(error["input"])
    cause = context.get("error")
    if isinstance(cause, Unitless):
        return place.path, cause.said(shown)
    say = _MESSAGES.get(kind)
    return place.path, say(place, shown, error) if say else f"{shown}: {error['msg']}"


def dotted(path: Where) -> str:
    """`faults[0].start` for ("faults", 0, "start")."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in path)
    return text.removeprefix(".")


def _name(part: str) -> str:
    return part if part.isprintable() and len(part) <= SHOWN else quoted(part)


_TAGS = ("kind", "do")
"""Fields that tell the members of a union apart."""


# ── the place ───────────────────────────────────────────────────────────────────────────────────


def _locate(loc: tuple[str | int, ...], root: type[BaseModel]) -> Place:
    place = Place((), root, (), None, "")
    for element in loc:
        place = _inside(place, element)
    return place


def _inside(place: Place, element: str | int) -> Place:
    if element == "[key]":  # what is wrong is the name itself
        return place._replace(annotation=str, metadata=())
    annotation, metadata = _bare(place.annotation, place.metadata)
    path = (*place.path, element)
    if _is_union(annotation):
        # pydantic names the kind it chose; that is no level of the file.
        chosen = next(m for m in get_args(annotation) if _kind_of(m) == element)
        return Place(place.path, chosen, metadata, place.model, place.description)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if element == (field.alias or name):
                about = field.description or ""
                return Place(path, field.annotation, field.metadata, annotation, about)
        return Place(path, None, (), annotation, "")
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return Place(path, arguments[1], (), place.model, place.description)
    if get_origin(annotation) is tuple:
        return Place(path, arguments[0], (), place.model, place.description)
    return Place(path, None, (), place.model, "")


def _bare(annotation: Any, metadata: Sequence[Any] = ()) -> tuple[Any, Sequence[Any]]:
    """Without `Annotated` and `| None` around it."""
    while True:
        arguments = get_args(annotation)
        if get_origin(annotation) is Annotated:
            annotation, metadata = arguments[0], (*metadata, *arguments[1:])
        elif type(None) in arguments:
            annotation = next(a for a in arguments if a is not type(None))
        else:
            return annotation, metadata


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _kind_of(model: type[BaseModel]) -> str:
    tag = next(name for name in _TAGS if name in model.model_fields)
    annotation = model.model_fields[tag].annotation
    return str(get_args(annotation)[0]) if get_origin(annotation) is Literal else ""


def _union_kinds(annotation: Any) -> list[str]:
    return [_kind_of(model) for model in get_args(_bare(annotation)[0])]


def _kinds(expected: str) -> list[str]:
    return [tag.strip().strip("'") for tag in expected.split(",")]


# ── the message ─────────────────────────────────────────────────────────────────────────────────


def _one_of(word: str, known: Sequence[str]) -> str:
    word = word[:SHOWN]
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else quoted(value)


def _bound(word: str, key: str, otherwise: str) -> Callable[[Place, str, ErrorDetails], str]:
    def say(place: Place, shown: str, error: ErrorDetails) -> str:
        most = error["ctx"][key]
        bound = str(most) if isinstance(most, int) else f"{most:g}"
        mend = place.form.examples if place.form else otherwise.format(bound)
        return f"{shown} is {word} {bound}; write {mend}"

    return say


def _number(place: Place, shown: str, error: ErrorDetails) -> str:
    noun, examples = ("a number", "one such as 1.5")
    if place.form:
        noun, examples = place.form.noun, place.form.examples
    elif (plain := _decimal(error["input"])) is not None:
        examples = plain
    return f"{shown} is not {noun}; write {examples}"


def _whole(place: Place, shown: str, error: ErrorDetails) -> str:
    given = error["input"]
    mend = _decimal(f"{given:.0f}" if isinstance(given, float) else given)
    return f"{shown} is not a whole number; write {mend or 'one such as 5'}"


def _decimal(value: Any) -> str | None:
    """The plain decimal that text, or an oddly written number, most likely means."""
    text = str(value) if isinstance(value, str | OddNumber) else ""
    sign, digits = ("-" if text.startswith("-") else ""), text.lstrip("+-").replace("_", "")
    plain = digits.isascii() and digits.replace(".", "", 1).isdigit() and len(digits) < SHOWN / 4
    return f"{sign}{digits.lstrip('0') or '0'}" if plain else None


def _missing(place: Place, shown: str, error: ErrorDetails) -> str:
    if place.form:
        return f"is missing; write {place.form.noun}: {place.form.examples}"
    return f"is missing; write {place.description or 'it'}"


def _unknown_field(place: Place, shown: str, error: ErrorDetails) -> str:
    fields = [f.alias or name for name, f in (place.model or BaseModel).model_fields.items()]
    return f"there is no such field; {_one_of(str(place.path[-1]), fields)}"


def _mapping(place: Place, shown: str, error: ErrorDetails) -> str:
    annotation, _ = _bare(place.annotation)
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return f"{shown} is not a table; write lines of name: value below it"
    fields = ", ".join(f.alias or name for name, f in annotation.model_fields.items())
    return f"{shown} does not fit; write it as lines with the fields {fields}"


def _text(place: Place, shown: str, error: ErrorDetails) -> str:
    if isinstance(error["input"], dict | list):
        return f"{shown} is not text; write one line of text"
    return f"{shown} is read as a number or other value; write it in quotes: {shown!r}"


def _choice(place: Place, shown: str, error: ErrorDetails) -> str:
    known = [str(choice) for choice in get_args(_bare(place.annotation)[0])]
    if str(error["input"]) in known:
        return f"{shown} is read as a number; write it in quotes: {shown!r}"
    return f"{shown} is not accepted; {_one_of(str(error['input']), known)}"


_MESSAGES: dict[str, Callable[[Place, str, ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_field,
    "value_error": lambda place, shown, error: str(error["ctx"]["error"]),
    "greater_than_equal": _bound("below", "ge", "{} or more"),
    "greater_than": _bound("not above", "gt", "more than {}"),
    "less_than_equal": _bound("above", "le", "{} or less"),
    "finite_number": _number,
    "float_type": _number,
    "float_parsing": _number,
    "int_type": _whole,
    "bool_type": lambda place, shown, error: f"{shown} is not a switch; write true or false",
    "bool_parsing": lambda place, shown, error: f"{shown} is not a switch; write true or false",
    "string_type": _text,
    "string_too_short": lambda place, shown, error: f"is empty; write {place.description}",
    "string_too_long": lambda place, shown, error: (
        f"has more than {error['ctx']['max_length']} characters; write fewer"
    ),
    "string_pattern_mismatch": lambda place, shown, error: (
        f"{shown} does not fit; write {place.description}"
    ),
    "path_type": _text,
    "literal_error": _choice,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "tuple_type": lambda place, shown, error: (
        f"{shown} is not a list; write its items below it, each after '- '"
    ),
    "too_short": lambda place, shown, error: (
        f"has {error['ctx']['actual_length']} items; write at least {error['ctx']['min_length']}"
    ),
    "too_long": lambda place, shown, error: (
        f"has {error['ctx']['actual_length']} items; write at most {error['ctx']['max_length']}"
    ),
}
