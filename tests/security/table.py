"""The table of requirements, made from the rules (requirements.yaml) and the marks of tests; `python -m tests.security.table` writes it.

A rule is done when a test marked with it exists and nothing is said to lack, partly when something lacks, open without a test. A test that is
skipped, expected to fail, or that checks nothing proves nothing. Guards that were broken for trial, and how many of their tests noticed, stand in
the table as `2/2` (`python -m tests.security.guards`).
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "bot" / "security" / "requirements.md"
_HEAD = """# Requirements of safety and how each is proved

Made by `python -m tests.security.table` from `tests/security/requirements.yaml` and the marks of tests; a test fails when it differs.
*done*: marked tests prove it. *partly*: what lacks is said. *open*: no test proves it. *Tried*: of so many guards that may be broken for trial, the
test of so many failed as it must, when `python -m tests.security.guards` was last run. What an attacker gains by each loss: `threats.md`.

| | Rule | State | Tried | Proved by |
|---|---|---|---|---|
"""

State = Literal["done", "partly", "open", "not applicable"]


@dataclass(frozen=True)
class Rule:
    """One requirement: what it says, what of it is missing, or why it does not concern us."""

    number: str
    says: str
    lacks: str = ""
    not_applicable: str = ""

    def state(self, proofs: int) -> State:
        if self.not_applicable:
            return "not applicable"
        if not proofs:
            return "open"
        return "partly" if self.lacks else "done"


def rules() -> list[Rule]:
    found = yaml.safe_load((Path(__file__).parent / "requirements.yaml").read_text(encoding="utf-8"))
    return [Rule(number, **fields) for number, fields in found.items()]


def proofs(root: Path = ROOT) -> Mapping[str, list[tuple[str, str]]]:
    """By number of the rule: file and name of each test marked with it, in order."""
    by_rule = defaultdict(list)
    for file in sorted((root / "tests").rglob("test_*.py")):
        for name, number in _marks(ast.parse(file.read_text(encoding="utf-8"))):
            by_rule[number].append((str(file.relative_to(root)), name))
    return by_rule


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name of the test and number of the rule, for every `@pytest.mark.requirement("R1", …)` and every module that is marked as a whole."""
    of_all = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    whole = [number for mark in of_all for number in _numbers(mark)]
    for function in tree.body:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_") and _proves(function):
            own = [number for mark in function.decorator_list for number in _numbers(mark)]
            yield from ((function.name, number) for number in dict.fromkeys((*own, *whole)))


def _numbers(mark: ast.expr) -> Iterator[str]:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement":
        yield from (ast.literal_eval(number) for number in mark.args)


def _proves(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Not skipped, not expected to fail, and with something in it that can fail: an assertion, an error that must come, a wait that checks."""
    marks = {ast.unparse(mark.func if isinstance(mark, ast.Call) else mark) for mark in function.decorator_list}
    if marks & {"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}:
        return False
    calls = {ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(function) if isinstance(node, ast.Call)}
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(calls & _CHECKS)


_CHECKS = {"raises", "until", "hears", "expect", "call_and_validate"}
"""Calls that fail by themselves."""


def table() -> str:
    """The whole paper."""
    from tests.security import guards  # it asks this module where the tree is

    proved, known = proofs(), guards.tried()
    marks = defaultdict(list)
    for guard in guards.guards():
        marks[guard.rule].append(guard.mark in known)
    return _HEAD + "".join(_row(rule, proved.get(rule.number, []), marks[rule.number]) for rule in rules())


def _row(rule: Rule, tests: list[tuple[str, str]], tried: list[bool]) -> str:
    state = rule.state(len(tests))
    why = rule.not_applicable or rule.lacks
    by = "<br>".join(f"{name.removeprefix('test_').replace('_', ' ')} (`{file.removeprefix('tests/')}`)" for file, name in tests)
    trial = f"{sum(tried)}/{len(tried)}" if tried else "–"
    return f"| {rule.number} | {rule.says} | {state}{': ' + why if why else ''} | {trial} | {by} |\n"


if __name__ == "__main__":
    PAPER.write_text(table(), encoding="utf-8")
    proved = proofs()
    for rule in rules():
        if (stands := rule.state(len(proved.get(rule.number, [])))) != "done":
            print(rule.number, stands, rule.lacks or rule.not_applicable)
