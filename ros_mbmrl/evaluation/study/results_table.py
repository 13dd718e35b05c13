"""The table of all studies in docs/methods.md, made from the summaries kept in docs/results.

`python -m ros_mbmrl.evaluation.study.results_table docs/methods.md` writes it between
`<!-- results -->` and `<!-- /results -->`; the summaries are `results/*.json` beside that page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import unique
from ros_mbmrl.evaluation.study.comparisons import BETTER, RETURN, WORSE
from ros_mbmrl.evaluation.study.description import USUAL
from ros_mbmrl.evaluation.study.figures import in_order
from ros_mbmrl.evaluation.study.ranks import Ranked, common_methods, mean_ranks
from ros_mbmrl.evaluation.study.tables import markdown
from ros_mbmrl.evaluation.study.verdicts import SUPPORTED, number
from ros_mbmrl.methods import about, look
from ros_mbmrl.methods.built_in import BASELINE

RESULTS = "results"
PARTS = "title", "returns", "comparisons", "hypotheses"
BEGIN, END = "<!-- results -->\n", "<!-- /results -->\n"

Summary = Mapping[str, Any]


def results_table(summaries: Sequence[Summary]) -> str:
    """Return the table as Markdown: a line a study and condition, a column a method."""
    methods = in_order(unique([row for s in summaries for row in s["returns"]], "method"))
    cells = []
    for summary in summaries:
        verdicts = _verdicts(summary)
        for k, condition in enumerate(unique(summary["returns"], "condition")):
            own = {r["method"]: r for r in summary["returns"] if r["condition"] == condition}
            mark = "" if all(map(_normalised, own.values())) else " (return)"
            figures = (
                _cell(own[m], verdicts.get((m, condition))) if m in own else "" for m in methods
            )
            cells.append((_title(summary) if k == 0 else "", condition + mark, *figures))
    ranks = _mean_ranks(summaries)
    cells.append(("mean rank", "", *(f"{ranks[m]:.1f}" if m in ranks else "" for m in methods)))
    head = ("", "", *(look(method).name for method in methods))
    return markdown(Table(head, cells, _caption(summaries)))


def _title(summary: Summary) -> str:
    """Return a study's title, with its scale where that is not the usual one."""
    scale = summary.get("scale") or USUAL
    return str(summary["title"]) + ("" if scale == USUAL else f", scale `{scale}`")


def _mean_ranks(summaries: Sequence[Summary]) -> dict[str, float]:
    """Rank the contenders that met every condition of every study."""
    several = [
        Ranked(
            [
                {**row, "train_seed": 0, "seed": 0}
                for row in summary["returns"]
                if about(row["method"]).judged
            ]
        )
        for summary in summaries
    ]
    return mean_ranks(several, common_methods(several))


def _caption(summaries: Sequence[Summary]) -> str:
    stated = [row for summary in summaries for row in summary["hypotheses"]]
    held = sum(row["outcome"] == SUPPORTED for row in stated)
    baseline = look(BASELINE).name
    return (
        "Mean return, 1 being the MB oracle's on that condition; (return): as it is, where the "
        "oracle took no part or its is not positive. "
        f"**Bold**: better than {baseline}, *italic*: worse, by paired "
        "differences over training seeds and episodes, p < .05 after Holm's correction; all else "
        f"is no difference shown. Of {len(stated)} hypotheses stated in advance, supported: {held}."
    )


def _verdicts(summary: Summary) -> dict[tuple[str, str], str]:
    """Compare each method with the baseline, by method and condition."""
    found = {}
    turned = {BETTER: WORSE, WORSE: BETTER}
    for row in summary["comparisons"]:
        if row["measure"] != RETURN or len(row["conditions"]) > 1:
            continue
        verdict, condition = row["verdict"], row["conditions"][0]
        if row["opponent"] == BASELINE:
            found[row["method"], condition] = verdict
        elif row["method"] == BASELINE:
            found[row["opponent"], condition] = turned.get(verdict, verdict)
    return found


def _normalised(row: Mapping[str, Any]) -> bool:
    """Normalise by the oracle alone; relative to random actions too, small differences vanish."""
    return row["normalised"] is not None and row["normalised_by"] == "oracle"


def _cell(row: Mapping[str, Any], verdict: str | None) -> str:
    text = number(row["normalised"] if _normalised(row) else row["return"])
    return {BETTER: f"**{text}**", WORSE: f"*{text}*"}.get(verdict or "", text)


def filled(text: str, summaries: Sequence[Summary]) -> str:
    """Put the table between its marks in the text. Raises UserError where they are missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise UserError(f"expected the lines {BEGIN.strip()} and {END.strip()}")
    return head + BEGIN + results_table(summaries) + END + tail


def read_summaries(folder: Path) -> list[Summary]:
    """Read the summaries `*.json` of a folder, by name. Raises UserError for what is none."""
    found: list[Summary] = []
    for path in sorted(folder.glob("*.json")):
        try:
            summary = json.loads(path.read_text())
        except ValueError as error:
            raise UserError(f"{path}: {error}") from None
        if not isinstance(summary, dict) or any(part not in summary for part in PARTS):
            raise UserError(f"{path}: expected a summary of a study, with {', '.join(PARTS)}")
        found.append(summary)
    return found


def main() -> None:
    """Fill the named file. Exit status 2 if that is not possible."""
    if len(sys.argv) != 2:
        sys.exit("expected a Markdown file")
    document = Path(sys.argv[1])
    try:
        summaries = read_summaries(document.parent / RESULTS)
        if not summaries:
            raise UserError(f"no summaries in {document.parent / RESULTS}: expected *.json")
        document.write_text(filled(document.read_text(), summaries))
    except (UserError, OSError) as error:
        print(f"results_table: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
