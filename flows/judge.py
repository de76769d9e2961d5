"""Let a gate judge one promotion and show its verdict."""

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import gates
from flows.core.errors import GateRefusedError


@task(task_run_name="gate: {promotion}", cache_policy=NO_CACHE)
def judge(gate: gates.Courtroom, promotion: str, run_id: int, slot: str | None = None) -> None:
    """Let Great Expectations judge a promotion and show the verdict; refuse when it says no."""
    verdict = gate.judge(promotion, run_id=run_id, slot=slot)
    if verdict.is_refused or not gates.data_docs_page().exists():
        gate.draw_data_docs()
    create_markdown_artifact(
        key=f"gate-{promotion}",
        markdown=gates.markdown(verdict),
        description=gates.headline(verdict),
    )
    if verdict.is_refused:
        raise GateRefusedError(gates.headline(verdict))
