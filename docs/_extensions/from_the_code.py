"""Pages that are made from the code: the settings from their model, commands from the command line, the API from the packages."""

import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from docutils import nodes
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import lightweights
from lightweights.settings.study import Study


class FromTheCode(SphinxDirective):
    """A directive whose content is Markdown or reStructuredText that a function gives."""

    def content_lines(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(self.content_lines()), allow_section_headings=True)


class Notebook(FromTheCode):
    """The cells of a notebook of ``notebooks/``, with what their code printed."""

    required_arguments = 1

    def content_lines(self) -> list[str]:
        return list(notebook_lines(NOTEBOOKS / self.arguments[0]))


class Settings(FromTheCode):
    """Every setting of a study: name, type, default, description, a table a section."""

    def content_lines(self) -> list[str]:
        return list(settings_lines())


class Commands(FromTheCode):
    """Every command of the command line with its arguments and options."""

    def content_lines(self) -> list[str]:
        return list(command_lines())


class Api(FromTheCode):
    """All public names of the modules of one package."""

    required_arguments = 1

    def content_lines(self) -> list[str]:
        lines: list[str] = []
        names = modules_of(self.arguments[0])
        for name in names:
            lines += [f"## {name}", ""] * (len(names) > 1)
            lines += ["```{eval-rst}", f".. automodule:: {name}", "   :members:", "   :show-inheritance:", "```", ""]
        return lines


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def notebook_lines(path: Path) -> Iterator[str]:
    """Markdown of a notebook; its title is that of the page."""
    for cell in json.loads(path.read_text())["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from re.sub(r"^# .*\n+", "", text).splitlines()
            yield ""
            continue
        yield from ("```python", *text.splitlines(), "```", "")
        for output in cell["outputs"]:
            yield from ("```text", *"".join(output["text"]).splitlines(), "```", "")


def settings_lines() -> Iterator[str]:
    """Markdown: one heading and one table a section of ``params.yaml``."""
    schema = Study.model_json_schema()
    for section, (path, model) in sections_of(Study).items():
        described = schema["$defs"].get(model.__name__, schema)["properties"]
        yield from (f"## {section}", "")
        if model.__doc__ and model.__doc__ != BaseModel.__doc__ and not model.__doc__.startswith("!!!"):
            yield from (inspect.cleandoc(model.__doc__), "")
        yield from ("| setting | values | default | |", "|---|---|---|---|")
        for name, field in model.model_fields.items():
            entry = described.get(name, {})
            default = "" if field.is_required() else shown_default(field.get_default(call_default_factory=True))
            yield f"| `{path}{name}` | {cell(kind_of(entry, schema))} | {cell(default)} | {cell(field.description or '')} |"
        yield ""


def sections_of(model: type[BaseModel]) -> dict[str, tuple[str, type[BaseModel]]]:
    """All models that settings are made of, outermost first: title to path and model. Each model once."""
    found: dict[str, tuple[str, type[BaseModel]]] = {}
    seen: set[type] = set()

    def visit(path: str, section: type[BaseModel]) -> None:
        if section in seen:
            return
        seen.add(section)
        if section is not Study:
            found[path.rstrip(".") + (f" ({variant_of(section)})" if variant_of(section) else "")] = (path, section)
        for name, field in section.model_fields.items():
            for inner in models_in(field.annotation):
                named = "NAME." if name == "experiments" else ""
                visit(f"{path}{name}.{named}", inner)

    visit("", model)
    return found


def variant_of(model: type[BaseModel]) -> str:
    """What tells a model from others in its place: the value of its kind."""
    kind = model.model_fields.get("kind")
    return f"kind: {kind.annotation.__args__[0]}" if kind is not None and kind.is_required() else ""


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from models_in(inner)


def kind_of(entry: dict[str, Any], schema: dict[str, Any]) -> str:
    """The values that an entry of the JSON schema allows, in words."""
    if "$ref" in entry:
        return "a section" if "properties" in schema["$defs"][entry["$ref"].rsplit("/", 1)[-1]] else "one of several"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in entry:
            return " or ".join(dict.fromkeys(kind_of(option, schema) for option in entry[union] if option.get("type") != "null"))
    if "const" in entry:
        return f"`{entry['const']}`"
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    if entry.get("type") == "array":
        return f"list of {kind_of(entry.get('items', {}), schema)}" if "items" in entry else "list"
    kind = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`", "object": "names with values"}
    return kind.get(entry.get("type", ""), "any") + bounds_of(entry)


def bounds_of(entry: dict[str, Any]) -> str:
    """The bounds of a number, in signs."""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {entry[key]:g}" for key, sign in signs.items() if key in entry]
    return f" {', '.join(found)}" if found else ""


def shown_default(value: Any) -> str:
    """A default as it would stand in params.yaml; nothing for a section, or where None means that it is not set."""
    if value is None or isinstance(value, BaseModel) or value in ({}, []):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def command_lines() -> Iterator[str]:
    """Markdown: one heading a command, its usage and options."""
    from lightweights.cli import app

    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join([f"lightweights {name}", *(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)])
        yield from (f"## {name}", "", command.help or "", "", "```text", usage, "```", "")
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        if options:
            yield from ("| option | |", "|---|---|")
            yield from (f"| `{', '.join(p.opts)}` | {cell(p.help or '')} |" for p in options)  # type: ignore[attr-defined]
            yield ""


def modules_of(package: str) -> list[str]:
    """A module itself, or the modules of a package."""
    folder = getattr(import_module(package), "__path__", None)
    return [f"{package}.{module.name}" for module in pkgutil.iter_modules(folder)] if folder else [package]


def escape_bars(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """|perm U| in a docstring is a modulus, not a substitution."""
    lines[:] = ["``".join(part if i % 2 else part.replace("|", r"\|") for i, part in enumerate(line.split("``"))) for line in lines]


def links_out_of_the_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Markdown files of the repository that are no pages are linked as files."""
    up = "../" * (1 + page.count("/"))
    source[0] = re.sub(rf"\]\(({re.escape(up)}[^)#:]+\.md)\)", r"](path:\1)", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    for module in pkgutil.walk_packages(lightweights.__path__, "lightweights."):
        import_module(module.name)  # all at once, because autodoc changes annotations that pydantic reads when later models are made
    for name, directive in (("all-settings", Settings), ("all-commands", Commands), ("api", Api), ("notebook", Notebook)):
        app.add_directive(name, directive)
    app.connect("source-read", links_out_of_the_pages)
    app.connect("autodoc-process-docstring", escape_bars)
    return {"parallel_read_safe": True}
