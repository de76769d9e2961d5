"""A verdict as a page that a person can act on."""

from collections.abc import Iterator

from flows.gates.docs import index_page
from flows.gates.verdict import Result, Verdict

NAMES = {"raw": "what has landed", "identity": "who is who", "marts": "the candidate marts"}
REFUSED_NEXT = {
    "raw": (
        "1. Follow the advice below for each rule that stopped it, and land the corrected file.",
        (
            "2. Run the flow again: refused batches are judged again together with the new ones, "
            "without the rows that a new file replaces."
        ),
        (
            "3. If a batch should never go in, set it aside: "
            "`update ops.batches set status = 'discarded' where batch_id = …`."
        ),
        "4. If the rule is too strict, edit its `block_above` in `expectations/suites/`.",
    ),
    "identity": (
        "1. Follow the advice below; ids are only published with the marts, so nobody sees these.",
        (
            "2. Rule on the listed records (`review-matches`, or `concord rulings import`), or "
            "correct the rules, and run the flow again."
        ),
        "3. If the change is meant, raise `block_above` in `expectations/suites/identity__….json`.",
    ),
    "marts": (
        "1. Follow the advice below; what is published has not changed.",
        "2. Run the flow again; `concord run --full` rebuilds staging and marts from raw.",
    ),
}


def headline(verdict: Verdict) -> str:
    """Say in one sentence what was decided and the main reason."""
    subject = f"The gate on {NAMES[verdict.promotion]}"
    if verdict.is_refused:
        more = len(verdict.reasons) - 1
        others = f" (and {more} more)" if more else ""
        return f"{subject} refused run {verdict.run_id}: {verdict.reasons[0]}{others}"
    held = verdict.held
    if held.rows:
        return (
            f"{subject} let run {verdict.run_id} pass; "
            f"{held.documents:,} documents ({held.rows:,} rows) wait in quarantine."
        )
    notes = len(verdict.of("note"))
    told = f", with {notes} note{'s' if notes > 1 else ''}" if notes else ""
    return f"{subject} let run {verdict.run_id} pass{told}."


def markdown(verdict: Verdict, *, data_docs: str | None = None) -> str:
    """Return the whole report; `data_docs` is the link to Data Docs, by default their file."""
    sections = [f"# {'Refused' if verdict.is_refused else 'Passed'}", headline(verdict)]
    if verdict.is_refused:
        sections.append(_refused(verdict))
    sections += _rows_moved(verdict)
    sections += _failed(verdict)
    sections.append(_table(verdict))
    sections.append(f"All results as pages: {data_docs or index_page().as_uri()}")
    return "\n\n".join(sections) + "\n"


def _refused(verdict: Verdict) -> str:
    steps = "\n".join(REFUSED_NEXT.get(verdict.promotion, ()))
    return (
        "Nothing was taken over, nothing was lost: the rows wait in raw, and the published marts "
        f"are as they were.\n\n## What to do next\n\n{steps}"
    )


def _rows_moved(verdict: Verdict) -> Iterator[str]:
    held = verdict.held
    if held.rows:
        yield (
            f"**In quarantine:** {held.rows:,} rows of {held.documents:,} documents, each whole. "
            "They are judged again at every run and go on by themselves once repaired.\n\n"
            "```sql\nselect entity, source_system, source_key, document_type, document_key, rules\n"
            f"from quarantine.rows where status = 'open' and run_id = {verdict.run_id};\n```"
        )
    if held.released or held.superseded:
        yield (
            f"**Out of quarantine:** {held.released:,} rows now pass; "
            f"{held.superseded:,} were replaced by newer ones."
        )


def _failed(verdict: Verdict) -> Iterator[str]:
    titles = {"block": "What stopped it", "quarantine": "Held back", "note": "Passed with a note"}
    for outcome, title in titles.items():
        results = [result for result in verdict.results if result.outcome == outcome]
        if results:
            yield f"## {title}"
            yield from (_one(verdict, result) for result in results)


def _one(verdict: Verdict, result: Result) -> str:
    found = result.finding
    parts = [f"### {result.suite}: {result.rule}", f"{found.description} But {result.reason}."]
    if result.failed:
        money = f", {result.money:,.2f} at risk" if result.money else ""
        parts.append(f"{result.failed:,} of {result.checked:,} rows ({result.share:.1%}){money}.")
    if found.samples:
        parts.append("For example " + ", ".join(f"`{key}`" for key in found.samples) + ".")
    parts.append(f"**What to do:** {result.advice}")
    if result.query:
        parts.append(f"All of them:\n\n```sql\n{_ready_to_paste(verdict, result.query)}\n```")
    return "\n\n".join(parts)


def _ready_to_paste(verdict: Verdict, query: str) -> str:
    if verdict.slot:
        return f"set search_path to marts_{verdict.slot};\n{query};"
    return f"{query};"


def _table(verdict: Verdict) -> str:
    """Return one line per suite: how much was judged, and how it went."""
    rows = ["| suite | rows | rules | passed | failing rows |", "|---|---:|---:|---:|---:|"]
    for suite in dict.fromkeys(result.suite for result in verdict.results):
        results = [result for result in verdict.results if result.suite == suite]
        passed = sum(result.outcome == "pass" for result in results)
        rows.append(
            f"| {suite} | {max(r.checked for r in results):,} | {len(results)} | {passed} "
            f"| {sum(r.failed for r in results):,} |"
        )
    seconds = ", ".join(f"{step} {spent:.1f} s" for step, spent in verdict.timings.items())
    return "\n".join(rows) + (f"\n\nTime: {seconds}." if seconds else "")
