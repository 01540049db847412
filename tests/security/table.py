"""The table of requirements, made from the rules (requirements.yaml) and the marks of tests; `python -m tests.security.table` writes it.

A rule is 済 when a test marked with it exists and nothing is said to lack, 一部 when something lacks, 未 without a test.
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
*done*: a marked test fails without it. *partly*: what lacks is said. *open*: no test proves it. What an attacker gains by each loss: `threats.md`.

| | Rule | State | Proved by |
|---|---|---|---|
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


def proofs() -> Mapping[str, list[tuple[str, str]]]:
    """By number of the rule: file and name of each test marked with it, in order."""
    by_rule = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _marks(ast.parse(file.read_text(encoding="utf-8"))):
            by_rule[number].append((str(file.relative_to(ROOT)), name))
    return by_rule


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name of the test and number of the rule, for every `@pytest.mark.requirement("R1", …)`."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement":
                    yield from ((function.name, ast.literal_eval(number)) for number in mark.args)


def table() -> str:
    """The whole paper."""
    proved = proofs()
    return _HEAD + "".join(_row(rule, proved.get(rule.number, [])) for rule in rules())


def _row(rule: Rule, tests: list[tuple[str, str]]) -> str:
    state = rule.state(len(tests))
    why = rule.not_applicable or rule.lacks
    by = "<br>".join(f"{name.removeprefix('test_').replace('_', ' ')} (`{file.removeprefix('tests/')}`)" for file, name in tests)
    return f"| {rule.number} | {rule.says} | {state}{': ' + why if why else ''} | {by} |\n"


if __name__ == "__main__":
    PAPER.write_text(table(), encoding="utf-8")
    for rule in rules():
        if (stands := rule.state(len(proofs().get(rule.number, [])))) != "done":
            print(rule.number, stands, rule.lacks or rule.not_applicable)
