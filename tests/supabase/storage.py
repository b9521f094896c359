"""Supabase Storage in memory: buckets, objects, signed addresses. Status codes and bodies as measured on the real one."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
from litestar import Request, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

_KEY = re.compile(r"[A-Za-z0-9_/!.*'()&$@=;:+,? -]+")
WHEN = "2026-11-23T13:13:08.842Z"


@dataclass
class StoredBucket:
    """One bucket and what is in it: key → content and type."""

    public: bool = False
    file_size_limit: int | None = None
    allowed_mime_types: list[str] | None = None
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)


class StorageService:
    """Its own data, for tests to look at and meddle with: `buckets`; `damage` replaces what the next uploads store."""

    def __init__(self, secret: str) -> None:
        self.buckets: dict[str, StoredBucket] = {}
        self.damage: list[bytes] = []
        self._signing_key = hashlib.sha256(secret.encode()).hexdigest()

    def routes(self) -> list[HTTPRouteHandler]:
        base = "/storage/v1"

        @post(f"{base}/bucket", status_code=200)
        async def create_bucket(request: Request[Any, Any, Any]) -> Response[Any]:
            data = await request.json()
            name = str(data["id"])
            if name in self.buckets:
                return refused("409", "Duplicate", "The resource already exists", "BucketAlreadyExists")
            limits = {key: data.get(key) for key in ("file_size_limit", "allowed_mime_types")}
            self.buckets[name] = StoredBucket(bool(data.get("public", False)), **limits)
            return Response({"name": name})

        @get(f"{base}/bucket/{{name:str}}")
        async def get_bucket(name: FromPath[str]) -> Response[Any]:
            bucket = self.buckets.get(name)
            if bucket is None:
                return NO_BUCKET
            return Response({
                "id": name, "name": name, "owner": "", "public": bucket.public, "file_size_limit": bucket.file_size_limit,
                "allowed_mime_types": bucket.allowed_mime_types, "created_at": WHEN, "updated_at": WHEN,
            })  # fmt: skip

        @post(f"{base}/object/{{place:path}}", status_code=200)
        async def write(place: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
            first, _, rest = place[1:].partition("/")
            if first == "sign":
                return self._sign(*_split(rest), seconds=int((await request.json())["expiresIn"]))
            [file] = [part for part in (await request.form()).values() if isinstance(part, UploadFile)]
            upsert = request.headers.get("x-upsert") == "true"
            return self._keep(first, rest, await file.read(), file.content_type, upsert)

        @get(f"{base}/object/{{place:path}}")
        async def read(place: FromPath[str], token: FromQuery[str | None] = None) -> Response[Any]:
            first, _, rest = place[1:].partition("/")
            if first == "sign":
                return self._opened(rest, token or "")
            if first == "public":
                name, key = _split(rest)
                is_public = name in self.buckets and self.buckets[name].public
                return self._give(name, key) if is_public else NO_BUCKET
            return self._give(first, rest)

        @delete(f"{base}/object/{{place:path}}", status_code=200)
        async def remove(place: FromPath[str], request: Request[Any, Any, Any]) -> Response[Any]:
            name, data = place[1:], await request.json()
            objects = self.buckets[name].objects if name in self.buckets else {}
            return Response([{"name": key} for key in data["prefixes"] if objects.pop(key, None) is not None])

        return [create_bucket, get_bucket, write, read, remove]

    def _sign(self, name: str, key: str, *, seconds: int) -> Response[Any]:
        if (there := self._give(name, key)).status_code != 200:
            return there
        now = int(time.time())
        claims = {"url": f"{name}/{key}", "iat": now, "exp": now + seconds}
        token = jwt.encode(claims, self._signing_key, "HS256")
        return Response({"signedURL": f"/object/sign/{name}/{key}?token={token}"})

    def _opened(self, place: str, token: str) -> Response[Any]:
        try:
            claims = jwt.decode(token, self._signing_key, ["HS256"])
        except jwt.InvalidTokenError as error:
            return refused("400", "InvalidJWT", str(error), "InvalidJWT")
        if claims["url"] != place:
            return refused("400", "InvalidSignature", "The url does not match the signature", "InvalidSignature")
        return self._give(*_split(place))

    def _keep(self, name: str, key: str, content: bytes, kind: str, upsert: bool) -> Response[Any]:
        bucket = self.buckets.get(name)
        if bucket is None:
            return NO_BUCKET
        if not _KEY.fullmatch(key):
            return refused("400", "InvalidKey", f"Invalid key: {key}", "InvalidKey")
        if bucket.allowed_mime_types is not None and kind not in bucket.allowed_mime_types:
            return refused("415", "invalid_mime_type", f"mime type {kind} is not supported", "InvalidMimeType")
        if bucket.file_size_limit is not None and len(content) > bucket.file_size_limit:
            return refused("413", "Payload too large", "The object exceeded the maximum allowed size", "EntityTooLarge")
        if key in bucket.objects and not upsert:
            return refused("409", "Duplicate", "The resource already exists", "KeyAlreadyExists")
        bucket.objects[key] = (self.damage.pop(0) if self.damage else content, kind)
        return Response({"Key": f"{name}/{key}", "Id": str(uuid.uuid4())})

    def _give(self, name: str, key: str) -> Response[Any]:
        bucket = self.buckets.get(name)
        if bucket is None:
            return NO_BUCKET
        if key not in bucket.objects:
            return refused("404", "not_found", "Object not found", "NoSuchKey")
        content, kind = bucket.objects[key]
        return Response(
            content, status_code=200, media_type=kind, headers={"cache-control": "no-cache", "accept-ranges": "bytes"}
        )


def _split(place: str) -> tuple[str, str]:
    name, _, key = place.partition("/")
    return name, key


def refused(status: str, error: str, message: str, code: str) -> Response[Any]:
    """Whatever the status says, it comes as HTTP 400."""
    return Response({"statusCode": status, "error": error, "message": message, "code": code}, status_code=400)


NO_BUCKET = refused("404", "Bucket not found", "Bucket not found", "NoSuchBucket")
