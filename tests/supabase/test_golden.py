"""The stand-in answers as the real servers were measured to: PostgREST 12 and Supabase Storage, by status, code and shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.desk import Desk
from tests.supabase.server import SECRET_KEY, StandIn
from tests.supabase.storage import StoredBucket

KEYS = {"apikey": SECRET_KEY, "authorization": f"Bearer {SECRET_KEY}"}


@pytest.fixture
def http(supabase: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=supabase.url, headers=KEYS) as client:
        yield client


FUNCTIONS = """
create function public.golden_scalar() returns integer language sql as 'select 5';
create function public.golden_table() returns table (n integer) language sql as 'select 5';
create function public.golden_set() returns setof integer language sql as 'select generate_series(1, 2)';
create function public.golden_row() returns registre.fees language sql as 'select null::registre.fees';
create function public.golden_void() returns void language sql as 'select 1';
create function public.golden_json(a jsonb) returns jsonb language sql as 'select jsonb_build_object(''kind'', jsonb_typeof(a))';
create function public.golden_big() returns bigint language sql as 'select 9007199254740993';
create function public.golden_raise(code text, hint text) returns void language plpgsql as
    'begin raise exception using errcode = code, hint = hint, message = ''no''; end';
"""
NAMES = "scalar", "table", "set", "row", "void", "json", "big", "raise"


@pytest.fixture
def functions(desk: Desk) -> Iterator[None]:
    desk.sql(FUNCTIONS)
    desk.sql("grant execute on all functions in schema public to service_role")
    yield
    for name in NAMES:
        desk.sql(f"drop function public.golden_{name}")


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(
    ("function", "given", "status", "body"),
    [
        ("scalar", {}, 200, 5),
        ("table", {}, 200, [{"n": 5}]),
        ("set", {}, 200, [1, 2]),
        ("row", {}, 200, {"source": None, "valid_from": None, "cents": None}),
        ("void", {}, 204, None),
        ("json", {"a": {"b": 1}}, 200, {"kind": "object"}),
        ("big", {}, 200, 9007199254740993),
        ("raise", {"code": "P0001", "hint": "lease_lost"}, 400, ("P0001", "lease_lost")),
        ("raise", {"code": "P0002", "hint": ""}, 500, ("P0002", "")),
        ("raise", {"code": "23505", "hint": ""}, 409, ("23505", "")),
        ("raise", {"code": "22P02", "hint": ""}, 400, ("22P02", "")),
        ("raise", {"code": "42501", "hint": ""}, 403, ("42501", "")),
        ("raise", {"code": "40001", "hint": ""}, 500, ("40001", "")),
        ("raise", {"code": "57014", "hint": ""}, 500, ("57014", "")),
        ("raise", {"code": "53300", "hint": ""}, 503, ("53300", "")),
        ("raise", {"code": "P0001"}, 404, ("PGRST202", None)),
        ("nobody", {}, 404, ("PGRST202", None)),
    ],
)
def test_rpc(http: httpx.Client, function: str, given: dict[str, Any], status: int, body: Any) -> None:
    answer = http.post(f"/rest/v1/rpc/golden_{function}", json=given)
    assert answer.status_code == status
    if status == 204:
        assert answer.content == b""
    elif status == 200:
        assert answer.json() == body
        assert answer.headers["content-range"] == "0-0/*"
    else:
        assert answer.json().keys() == {"code", "details", "hint", "message"}
        assert (answer.json()["code"], answer.json()["hint"]) == body
        assert answer.headers["proxy-status"] == f"PostgREST; error={body[0]}"


def test_rpc_of_what_is_not_exposed_and_of_no_json(http: httpx.Client) -> None:
    answer = http.post("/rest/v1/rpc/applied", json={}, headers={"content-profile": "registre"})
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106")
    answer = http.post("/rest/v1/rpc/registre_call", content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")


def test_storage(http: httpx.Client, supabase: StandIn) -> None:
    supabase.storage.buckets.clear()

    def refused(answer: httpx.Response) -> tuple[str, str]:
        assert answer.status_code == 400
        return answer.json()["statusCode"], answer.json()["code"]

    def upload(key: str, **headers: str) -> httpx.Response:
        return http.post(f"/storage/v1/object/b/{key}", files={"file": ("k", b"x", "text/plain")}, headers=headers)

    assert refused(upload("k")) == ("404", "NoSuchBucket")
    assert http.post("/storage/v1/bucket", json={"id": "b", "name": "b"}).json() == {"name": "b"}
    assert refused(http.post("/storage/v1/bucket", json={"id": "b"})) == ("409", "BucketAlreadyExists")
    assert upload("k").json()["Key"] == "b/k"
    assert refused(upload("k")) == ("409", "KeyAlreadyExists")
    assert upload("k", **{"x-upsert": "true"}).status_code == 200
    assert refused(upload("€.pdf")) == ("400", "InvalidKey")
    assert http.get("/storage/v1/object/b/k").content == b"x"
    assert refused(http.get("/storage/v1/object/b/none")) == ("404", "NoSuchKey")
    assert refused(http.get("/storage/v1/object/public/b/k")) == ("404", "NoSuchBucket")
    signed = http.post("/storage/v1/object/sign/b/k", json={"expiresIn": "60"}).json()["signedURL"]
    assert signed.startswith("/object/sign/b/k?token=")
    assert httpx.get(f"{supabase.url}/storage/v1{signed}").content == b"x"
    assert refused(httpx.get(f"{supabase.url}/storage/v1{signed}x")) == ("400", "InvalidJWT")
    gone = http.post("/storage/v1/object/sign/b/k", json={"expiresIn": "-1"}).json()["signedURL"]
    assert refused(httpx.get(f"{supabase.url}/storage/v1{gone}")) == ("400", "InvalidJWT")
    supabase.storage.buckets["b"] = StoredBucket(allowed_mime_types=["application/pdf"])
    assert refused(upload("k")) == ("415", "InvalidMimeType")
    supabase.storage.buckets["b"] = StoredBucket(file_size_limit=0)
    assert refused(upload("k")) == ("413", "EntityTooLarge")
    assert http.request("DELETE", "/storage/v1/object/b", json={"prefixes": ["none"]}).json() == []


def test_keys_are_asked_for(supabase: StandIn) -> None:
    answer = httpx.get(f"{supabase.url}/storage/v1/bucket/b")
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "headers must have required property 'authorization'",
    )
    answer = httpx.get(f"{supabase.url}/storage/v1/bucket/b", headers={"authorization": "Bearer other"})
    assert answer.status_code == 401
