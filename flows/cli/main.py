"""The command `concord`. Exit status 0: done and balanced; 1: refused; 2: a usage error."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.cli import check, commands, explain, seals
from flows.core.errors import (
    ConcordError,
    ConnectionsError,
    EvaluationError,
    ExplanationError,
    MappingError,
    RulesError,
    RulingsError,
    SettingsError,
)

DONE, REFUSED, USAGE = 0, 1, 2
USAGE_ERRORS = (
    SettingsError,
    ConnectionsError,
    MappingError,
    EvaluationError,
    RulesError,
    RulingsError,
    ExplanationError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["psql"], ["metrics"]):  # their options are theirs, not argparse's
        return _passed_on(given[0], given[1:])
    chosen = _parser().parse_args(given)
    try:
        result = chosen.command(chosen)
    except USAGE_ERRORS as error:
        return _complain(error, USAGE)
    except ConcordError as error:
        return _complain(error, REFUSED)
    except KeyboardInterrupt:
        print("Stopped. What was committed stays; run it again to go on.", file=sys.stderr)
        return REFUSED
    _show(result, as_json=chosen.json)
    return DONE


def _passed_on(command: str, options: list[str]) -> int:
    try:
        return commands.psql(options) if command == "psql" else commands.metrics(options)
    except ConcordError as error:
        return _complain(error, REFUSED)


def _complain(error: ConcordError, status: int) -> int:
    print(f"concord: {error}", file=sys.stderr)
    return status


def _show(result: Any, *, as_json: bool) -> None:  # noqa: ANN401 - whatever a command reports
    if as_json:
        print(json.dumps(result, default=str))
    elif isinstance(result, dict) and "text" in result:
        print(result["text"])


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    parser = argparse.ArgumentParser(
        prog="concord", description="Keeps a company's CRM and ERP in agreement."
    )
    parser.set_defaults(json=False)
    sub = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_stack(sub, common)
    _add_flows(sub, common)
    _add_identity(sub, common)
    _add_tools(sub, common)
    return parser


def _add_stack(sub: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401 - argparse's
    _add(sub, common, "demo", commands.demo, "the whole story on a generated company")
    _add(sub, common, "up", commands.up, "start Postgres, the Prefect server with its UI, a worker")
    _add(sub, common, "down", commands.down, "stop what `up` started")
    _add(sub, common, "status", commands.status, "what runs, what is published, what waits")


def _add_flows(sub: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401 - argparse's
    look = _add(sub, common, "check", check.check, "what works at a connection, and its cost")
    look.add_argument("connection", metavar="CONNECTION")
    land = _add(sub, common, "land", commands.land, "land what is new at a connection")
    land.add_argument("connection", metavar="CONNECTION")
    land.add_argument("--object", action="append", dest="objects", metavar="O")
    land.add_argument("--full", action="store_true", help="land again what was landed before")
    run = _add(sub, common, "run", commands.run, "the integrate flow: land, judge, build, publish")
    run.add_argument("--full", action="store_true", help="rebuild staging and marts from raw")
    again = _add(sub, common, "backfill", commands.backfill, "read a connection again, publish")
    again.add_argument("connection", metavar="CONNECTION")
    again.add_argument("--object", action="append", dest="objects", metavar="O")
    publish = _add(sub, common, "publish", commands.publish, "publish the candidate marts")
    publish.add_argument(
        "--allow-breaking", action="store_true", help="even if columns go that views use"
    )
    _add(sub, common, "rollback", commands.rollback, "back to the publication before")


def _add_identity(sub: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401 - argparse's
    evaluate = _add(sub, common, "evaluate", commands.evaluate, "matching against known pairs")
    evaluate.add_argument("truth", metavar="TRUTH.csv", type=Path)
    evaluate.add_argument("--domain", choices=("customers", "contacts", "products"))
    text = "what people ruled about pairs of records"
    rulings = sub.add_parser("rulings", help=text, description=text)
    rulings_sub = rulings.add_subparsers(required=True, metavar="COMMAND")
    take = _add(rulings_sub, common, "import", commands.import_rulings, "take rulings from a file")
    take.add_argument("file", metavar="FILE.csv", type=Path)
    take.add_argument("--by", help="who decided, for lines that do not say")
    give = _add(rulings_sub, common, "export", commands.export_rulings, "write rulings into a file")
    give.add_argument("file", metavar="FILE.csv", type=Path)
    give.add_argument("--doubtful", action="store_true", help="the pairs that wait for a ruling")


def _add_tools(sub: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401 - argparse's
    explain.add_arguments(_add(sub, common, "explain", explain.explain, explain.TEXT))
    sub.add_parser("psql", help="psql on the warehouse, with psql's own options")
    sub.add_parser("metrics", help="MetricFlow on the published marts, with the options of `mf`")
    rules = sub.add_parser("rules", help="the business rules", description="The business rules.")
    rules_sub = rules.add_subparsers(required=True, metavar="COMMAND")
    show = _add(rules_sub, common, "show", commands.show_rules, "who owns which field")
    show.add_argument("--markdown", action="store_true", help="as the page docs/ownership.md")
    _add_seals(sub, common)
    bench = _add(sub, common, "bench", commands.bench, "the performance budget, measured")
    bench.add_argument("--lines", type=int, default=1_000_000, help="order lines (1,000,000)")
    bench.add_argument("--identity", action="store_true", help="who is who, and nothing else")
    bench.add_argument("--marts", action="store_true", help="dbt's marts against psql's")
    bench.add_argument("--connectors", action="store_true", help="reading over HTTP against dlt's")
    bench.add_argument("--dlt", type=Path, help="the Python of an environment that has dlt")
    bench.add_argument("--data", type=Path, help="a folder of sets: connections.yaml, truth.csv")
    bench.add_argument("--records", type=int, default=100_000, help="records a system (100,000)")


def _add_seals(sub: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401 - argparse's
    text = "completed documents that changed after they were sealed"
    group = sub.add_parser("seals", help=text, description=text)
    seals_sub = group.add_subparsers(required=True, metavar="COMMAND")
    _add(seals_sub, common, "list", seals.show, "what waits for a steward")
    accept = _add(seals_sub, common, "accept", seals.accept, "let a change stand")
    accept.add_argument("breach", metavar="NUMBER", type=int)
    accept.add_argument("--by", required=True, help="who decides")
    accept.add_argument("--note", required=True, help="why")


def _add(
    sub: Any,  # noqa: ANN401 - argparse does not name the type of its sub-parsers
    common: argparse.ArgumentParser,
    name: str,
    command: Any,  # noqa: ANN401 - commands differ in what they take
    text: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = sub.add_parser(
        name, help=text, description=text, parents=[common]
    )
    parser.set_defaults(command=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
