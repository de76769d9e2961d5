"""How MetricFlow spells SQL for Postgres; what it spells is run by us."""

from typing import NoReturn

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
from metricflow.sql.render.sql_plan_renderer import SqlPlanRenderer
from metricflow_semantics.sql.sql_bind_parameters import SqlBindParameterSet

NO_PARAMETERS = SqlBindParameterSet()


class PostgresDialect:
    """What MetricFlow's engine asks of a database in order to write a query for it."""

    sql_engine_type = SqlEngine.POSTGRES

    @property
    def sql_plan_renderer(self) -> SqlPlanRenderer:
        """Return what turns a plan into the SQL of Postgres."""
        return PostgresSQLSqlPlanRenderer()

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        """Return a parameter as psycopg reads it."""
        return f"%({bind_parameter_key})s"

    def query(
        self, stmt: str, sql_bind_parameter_set: SqlBindParameterSet = NO_PARAMETERS
    ) -> NoReturn:
        """Refuse: queries are run on connections of the warehouse."""
        raise NotImplementedError(stmt)

    execute = dry_run = query

    def close(self) -> None:
        """Hold nothing that could be closed."""
