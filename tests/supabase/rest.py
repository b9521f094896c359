"""PostgREST's `/rpc` over a real database, in the role of the service key: one call, one transaction.

Status codes and bodies as measured on the real one. The statement it runs is PostgREST's own.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

STATUS = {
    "23503": 409, "23505": 409, "25006": 405, "42883": 404, "42P01": 404, "42P17": 500, "42501": 403, "53300": 503, "P0001": 400,
}  # fmt: skip
BY_CLASS = {
    "08": 503, "09": 500, "0L": 403, "0P": 403, "25": 500, "28": 403, "2D": 500, "38": 500, "39": 500, "3B": 500, "40": 500,
    "53": 503, "54": 500, "55": 500, "57": 500, "58": 500, "F0": 500, "HV": 500, "P0": 500, "XX": 500,
}  # fmt: skip
_FUNCTION = """
select p.proretset, t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false), t.typname = 'void',
    p.proargnames[1:p.pronargs], p.pronargs - p.pronargdefaults,
    array(select format_type(a, null) from unnest(p.proargtypes) with ordinality u (a, n) order by n), p.proconfig
from pg_proc p join pg_type t on t.oid = p.prorettype
where p.pronamespace = to_regnamespace(%s) and p.proname = %s
"""


class RestService:
    """Over the database of a DSN whose user may become `role`; `exposed` are the schemas of the project's API settings."""

    def __init__(self, dsn: str | None, role: str = "service_role") -> None:
        self.exposed = ["public", "graphql_public"]
        self.max_rows = 1000
        self.role = role
        self._pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]] | None = None
        if dsn is not None:
            # One: a new one reads the functions anew, and after a reset, which ends all, a second dead one costs a second.
            self._pool = ConnectionPool(
                dsn, min_size=0, max_size=1, timeout=30, open=True, kwargs={"row_factory": tuple_row},
                check=ConnectionPool.check_connection,
            )  # fmt: skip

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def routes(self) -> list[HTTPRouteHandler]:
        @post("/rest/v1/rpc/{function:str}", status_code=200)
        async def rpc(function: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
            import anyio.to_thread

            schema, body = request.headers.get("content-profile", self.exposed[0]), await request.body()
            return await anyio.to_thread.run_sync(self._rpc, schema, function, body)

        return [rpc]

    def _rpc(self, schema: str, function: str, body: bytes) -> Response[Any]:
        if schema not in self.exposed:
            said = f"The schema must be one of the following: {', '.join(self.exposed)}"
            return problem(406, "PGRST106", said)
        try:
            given = json.loads(body)
        except ValueError:
            return problem(400, "PGRST102", "Empty or invalid json")
        assert self._pool is not None
        try:
            with self._pool.connection() as connection:
                return self._call(connection, schema, function, given, body.decode())
        except psycopg.Error as error:
            if error.sqlstate is None:
                return problem(503, "PGRST001", "Database client error. Retrying the connection.")
            code, diag = error.sqlstate, error.diag
            return problem(
                STATUS.get(code, BY_CLASS.get(code[:2], 400)),
                code,
                diag.message_primary,
                diag.message_detail,
                diag.message_hint,
            )
        except PoolTimeout:
            return problem(504, "PGRST003", "Timed out acquiring connection from connection pool.")

    def _call(
        self, connection: psycopg.Connection[Any], schema: str, function: str, given: dict[str, Any], body: str
    ) -> Response[Any]:
        found = connection.execute(_FUNCTION, (schema, function)).fetchone()
        if found is None or not _takes(found[3], found[4], given):
            said = f"Could not find the function {schema}.{function}({', '.join(sorted(given))}) in the schema cache"
            return problem(404, "PGRST202", said)
        is_set, is_row, is_void, names, _, types, settings = found
        # A function's own time limit is hoisted, so that it holds for the statement that calls it.
        for setting in settings or ():
            connection.execute("select set_config(%s, %s, true)", setting.split("=", 1))
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(self.role)))
        connection.execute("set local search_path to public, extensions")
        answer = connection.execute(
            _statement(schema, function, given, dict(zip(names or (), types, strict=True))), (body,) * bool(given)
        )
        rows = [row[0] for row in answer.fetchmany(self.max_rows)]
        if is_void:
            return Response(b"", status_code=204)
        if not is_row:
            rows = [json.dumps(json.loads(row)["pgrst_scalar"]) if row else "null" for row in rows]
        text = f"[{', '.join(rows)}]" if is_set else rows[0] if rows else "null"
        return Response(text.encode(), media_type="application/json", headers={"content-range": "0-0/*"})


def _statement(schema: str, function: str, given: dict[str, Any], types: dict[str, str]) -> sql.Composed:
    target = sql.Identifier(schema, function)
    if not given:
        call = sql.SQL("select * from {}() pgrst_scalar").format(target)
    else:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[name])) for name in given
        )
        arguments = sql.SQL(", ").join(sql.SQL("{0} := a.{0}").format(sql.Identifier(name)) for name in given)
        call = sql.SQL(
            "select f.* from json_to_record(%s::json) as a({}), lateral (select * from {}({}) pgrst_scalar) f"
        ).format(columns, target, arguments)
    return sql.SQL("select row_to_json(r)::text from ({}) r").format(call)


def _takes(names: list[str] | None, required: int, given: dict[str, Any]) -> bool:
    known = names or []
    return set(given) <= set(known) and set(known[:required]) <= set(given)


def problem(
    status: int, code: str, message: str | None, details: str | None = None, hint: str | None = None
) -> Response[Any]:
    body = {"code": code, "details": details, "hint": hint, "message": message}
    return Response(body, status_code=status, headers={"proxy-status": f"PostgREST; error={code}"})
