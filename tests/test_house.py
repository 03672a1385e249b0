"""One name means one thing, and a test replaces what it has imported: a name in a string outlives what it named."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: What runs an engine package, and what the wire says of it: that name is in the schema that subscribers have.
IN_THE_SCHEMA_TOO = {"Engine"}


def trees(*folders):
    return {
        path: ast.parse(path.read_text("utf-8")) for each in folders for path in sorted((ROOT / each).rglob("*.py"))
    }


def replaced_by_name(tree):
    """Lines of calls such as `setattr("a.module.NAME", ...)` or `patch("a.module.NAME")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called, first = ast.unparse(node.func).rpartition(".")[2], node.args[0]
            text = isinstance(first, ast.JoinedStr) or (
                isinstance(first, ast.Constant) and isinstance(first.value, str)
            )
            if called in ("setattr", "delattr", "patch") and text:
                yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        'monkeypatch.setattr(\n    "a.b", 1)',
        'setattr(f"{module}.b", 1)',
        'with patch("a.b"): pass',
        'mock.patch("a.b")',
    ],
)
def test_a_name_in_a_string_is_seen_however_it_is_replaced(code):
    assert list(replaced_by_name(ast.parse(code)))
    assert not list(replaced_by_name(ast.parse('monkeypatch.setattr(module, "NAME", 1)')))


def test_no_test_replaces_by_a_name_in_a_string():
    assert [f"{path}:{line}" for path, tree in trees("tests").items() for line in replaced_by_name(tree)] == []


def test_no_two_classes_have_one_name():
    found = [
        node.name
        for tree in trees("realtime", "train").values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    assert {name for name, count in Counter(found).items() if count > 1} == IN_THE_SCHEMA_TOO
