"""The table of rules: complete, consistent, and printed as the documentation has it."""

from __future__ import annotations

from ros_mbmrl.safety.rules import (
    CLIPPING,
    LEVELS,
    RULES,
    SLOWING,
    Rule,
    describe,
    describe_levels,
    filled,
)
from ros_mbmrl.safety.types import Level


def test_the_table_is_complete_and_printed() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert [rule.level for rule in RULES] == sorted((r.level for r in RULES), reverse=True)
    assert all(f"| `{name}` |" in describe() for name in names)


def test_levels_and_rules_agree() -> None:
    assert {rule.level for rule in RULES} == set(LEVELS) - {Level.RUN}
    levels = {rule.name: rule.level for rule in RULES}
    assert {levels[name] for name in SLOWING | CLIPPING} == {Level.LIMITED}
    assert not SLOWING & CLIPPING
    # Only a reset ends a latched stop, so that none has a time to clear after.
    assert all(rule.latched == (rule.level is Level.LATCHED) for rule in RULES)
    assert not any(rule.clear_seconds for rule in RULES if rule.latched)
    assert describe_levels().splitlines()[2].startswith("| LATCHED |")  # the worst first


def test_a_rule_is_a_line_in_words() -> None:
    rule = Rule(
        *("hot", Level.STOP, "|t| > limit", "cold", lambda view, acting: None),
        updates=3,
        seconds=0.5,
        clear_seconds=2.0,
        after_start=True,
    )
    wanted = "after the start: \\|t\\| > limit | 3 updates and 0.5 s | cold for 2 s"
    assert describe((rule,)).splitlines() == [
        "| rule | level | when | for | clears |",
        "| --- | --- | --- | --- | --- |",
        f"| `hot` | STOP | {wanted} |",
    ]


def test_tables_are_written_between_their_marks_and_nowhere_else() -> None:
    page = "a\n<!-- levels -->\nold\n<!-- /levels -->\nb\n<!-- rules -->\n<!-- /rules -->\nc\n"
    new = filled(page)
    assert new == (
        f"a\n<!-- levels -->\n{describe_levels()}<!-- /levels -->\n"
        f"b\n<!-- rules -->\n{describe()}<!-- /rules -->\nc\n"
    )
    assert filled(new) == new
