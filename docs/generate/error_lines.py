"""The error lines that the package can end with, read from its source.

A line is the message of an :class:`~pipeline.core.errors.AtlasError`, wherever one is made, or of a ``ValueError`` in a
schema of ``pipeline/config``, which :func:`pipeline.config.params.parse_params` puts behind the name of the setting.
What a message inserts is shown as ``<name>``.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.core import errors

ROOT = Path(__file__).parents[2]
ERRORS = frozenset(name for name, kind in vars(errors).items() if isinstance(kind, type))
SCHEMAS = "pipeline/config/"
YIELDED = ("pipeline/provenance/chain.py", "_breaks")  # a function that yields error lines
SETTING = "<setting>: "  # what the name of the setting is put in place of
REPEATED = re.compile(r"(<\w+>)\1+")  # a text that is put together of parts of itself
DEPTH = 4  # of functions that build a message for another one
LIMIT = 24  # variants of one message
MOST_INSERTED = 6  # variants of a text within a message; more are shown as its name


@dataclass(frozen=True, order=True)
class ErrorLine:
    """One error line.

    Attributes:
        text: the message, with ``<name>`` for what is inserted.
        file: that raises it, relative to the repository.
        line: number of the line there; not shown, since every edit above moves it.
    """

    text: str
    file: str
    line: int


@cache
def error_lines(root: Path = ROOT) -> tuple[ErrorLine, ...]:
    """Every error line of the package, each text once, sorted by text."""
    found: dict[str, ErrorLine] = {}
    for path in sources(root):
        module = Module.read(path, root)
        for line in module.error_lines():
            found.setdefault(line.text, line)
    return tuple(sorted(found.values()))


def unread_errors(root: Path = ROOT) -> list[str]:
    """Places that make an error whose message could not be read from the source, as ``file: code``."""
    return [place for path in sources(root) for place in Module.read(path, root).unread()]


def sources(root: Path) -> list[Path]:
    """The package's Python files."""
    folders = (root / "pipeline", root / "hydra_plugins")
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "node_modules" not in path.parts)


@dataclass(frozen=True)
class Module:
    """A source file: its tree, and each function with the nodes within it."""

    file: str
    tree: ast.Module
    root: Path

    @classmethod
    def read(cls, path: Path, root: Path) -> "Module":
        """Parse a file."""
        return _parse(path, root)

    def error_lines(self) -> Iterator[ErrorLine]:
        """The lines that this file makes."""
        for message, function, prefix in self._messages():
            for text in self.texts(message, function):
                yield ErrorLine(REPEATED.sub(r"\1", " ".join((prefix + text).split())), self.file, message.lineno)

    def unread(self) -> Iterator[str]:
        """Errors whose message is not in the source."""
        for message, function, _ in self._messages():
            if not self.texts(message, function):
                yield f"{self.file}: {ast.unparse(message)}"

    def _messages(self) -> Iterator[tuple[ast.expr, ast.AST, str]]:
        """Each message of an error, the function around it, and what precedes the message in the line."""
        for function in (self.tree, *self.functions()):
            for node in _own_nodes(function):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=[message, *_]) if name in ERRORS:
                        yield message, function, ""
                    case ast.Call(func=ast.Name(id="ValueError"), args=[message]) if self.file.startswith(SCHEMAS):
                        yield message, function, SETTING
                    case ast.Yield(value=ast.expr() as message) if (self.file, _called(function)) == YIELDED:
                        yield message, function, ""

    def functions(self) -> tuple[ast.FunctionDef, ...]:
        """All functions of the file, those of classes and within functions included."""
        return _functions(self.tree)

    def texts(  # noqa: PLR0911  # one line for each kind of expression
        self, value: ast.expr, function: ast.AST, depth: int = 0
    ) -> list[str]:
        """The texts that an expression can have; none where the source does not say.

        Args:
            value: the expression.
            function: around it, whose assignments are looked at.
            depth: number of functions that were followed to it.
        """
        match value:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return _joined([self._part(part, function, depth) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.texts(side, function, depth) or [_placeholder(side)] for side in (left, right)])
            case ast.IfExp(body=body, orelse=other):
                return [text for side in (body, other) for text in self.texts(side, function, depth)]
            case ast.Name(id=name):
                return self._assigned(name, function, depth)
            case ast.Call(func=ast.Name(id=name)):
                return self._returned(name, depth)
        return []

    def _part(self, part: ast.expr, function: ast.AST, depth: int) -> list[str]:
        if isinstance(part, ast.Constant):
            return [str(part.value)]
        inserted = part.value if isinstance(part, ast.FormattedValue) else part
        if isinstance(inserted, ast.Name | ast.Call | ast.IfExp):
            texts = self.texts(inserted, function, depth)
            if texts and len(texts) <= MOST_INSERTED and not any(text.startswith("<") for text in texts):
                return texts
        return [_placeholder(inserted)]

    def _assigned(self, name: str, function: ast.AST, depth: int) -> list[str]:
        """The texts that a name is given in a function or, as a constant, in the file."""
        for scope in (function, self.tree):
            found: list[str] = []
            for node in _own_nodes(scope):
                if isinstance(node, ast.Assign) and any(_is_name(target, name) for target in node.targets):
                    texts = [] if _mentions(node.value, name) else self.texts(node.value, scope, depth)
                    if not texts:
                        return []
                    found += texts
            if found:
                return found
        return self._passed(name, function, depth)

    def _passed(self, name: str, function: ast.AST, depth: int) -> list[str]:
        """The texts that a parameter of a function is given in this file."""
        names = [argument.arg for argument in function.args.args] if isinstance(function, ast.FunctionDef) else []
        if name not in names or depth >= DEPTH:
            return []
        found: list[str] = []
        for caller in (self.tree, *self.functions()):
            for node in _own_nodes(caller):
                if isinstance(node, ast.Call) and _is_name(node.func, _called(function)):
                    given = node.args[names.index(name)] if names.index(name) < len(node.args) else None
                    texts = self.texts(given, caller, depth + 1) if given is not None else []
                    if not texts:
                        return []
                    found += texts
        return list(dict.fromkeys(found))

    def _returned(self, name: str, depth: int) -> list[str]:
        """The texts that a function of the package returns."""
        if depth >= DEPTH:
            return []
        for module in (self, *self._imported(name)):
            for function in module.functions():
                if function.name == name:
                    returns = [node.value for node in _own_nodes(function) if isinstance(node, ast.Return)]
                    return [
                        text
                        for value in returns
                        if value is not None
                        for text in module.texts(value, function, depth + 1)
                    ]
        return []

    def _imported(self, name: str) -> Iterator["Module"]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
                path = self.root / f"{(node.module or '').replace('.', '/')}.py"
                if path.is_file():
                    yield Module.read(path, self.root)


@cache
def _parse(path: Path, root: Path) -> Module:
    return Module(path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8")), root)


@cache
def _functions(tree: ast.Module) -> tuple[ast.FunctionDef, ...]:
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def _own_nodes(scope: ast.AST) -> tuple[ast.AST, ...]:
    """The nodes of a function or module that are in no function within it, in the order of the source."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(scope):
        found.append(node)
        if not isinstance(node, ast.FunctionDef):
            found += _own_nodes(node)
    return tuple(found)


def _called(scope: ast.AST) -> str:
    return scope.name if isinstance(scope, ast.FunctionDef) else ""


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _mentions(node: ast.expr, name: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """All combinations of the texts of each part."""
    texts = [""]
    for part in parts:
        texts = [before + text for before in texts for text in part][:LIMIT]
    return texts


def _placeholder(value: ast.expr) -> str:
    """``<name>`` for an inserted value: its name, or that of its attribute, argument or function."""
    match value:
        case ast.Constant(value=constant):
            return str(constant)
        case ast.Name(id="OUTPUTS"):
            return "outputs"
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=str(below))):
            return f"{_placeholder(left)}/{below}"
    return f"<{_name(value)}>"


def _name(value: ast.expr) -> str:  # noqa: PLR0911  # one line for each kind of expression
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Call(func=ast.Name(id="map"), args=[_, argument]):
            return _name(argument)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=key), *_]):
            return str(key)
        case ast.Call(func=ast.Attribute(attr="join"), args=[argument]):
            return _name(argument)
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() | ast.Call() as inner)):
            return _name(inner)
        case ast.Call(args=[argument, *_]):
            return _name(argument)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.Starred(value=inner):
            return _name(inner)
        case ast.BoolOp(values=[inner, *_]) | ast.BinOp(left=inner):
            return _name(inner)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner) | ast.IfExp(body=inner):
            return _name(inner)
    return "value"
