"""A worker that reaches nothing but a Supabase project over HTTPS buys, delivers into its bucket and closes the row."""

from __future__ import annotations

import signal
from pathlib import Path

from registre.document import BUCKETS
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.vault import make_key
from tests.command import registre
from tests.desk import Desk
from tests.integration.test_up import ORDER, up
from tests.supabase.server import SECRET_KEY, StandIn
from tests.waiting import until


def test_an_order_is_bought_delivered_and_closed_over_https_alone(
    desk: Desk, supabase: StandIn, tmp_path: Path
) -> None:
    supabase.storage.buckets.clear()
    home = tmp_path / "host"
    [(user, password)] = demo_accounts(1)
    with TwinServer(TwinConfig(accounts={user: password})) as twin:
        project = {
            "SUPABASE_URL": supabase.url,
            "SUPABASE_SECRET_KEY": SECRET_KEY,
            "REGISTRY_BASE_URL": twin.base_url,
            "REGISTRE_SECRET_KEY": make_key(),
        }
        added = registre(home, "accounts", "add", user, stdin=password.encode() + b"\n", **project)
        assert added.code == 0
        job = registre(home, *ORDER, stdin=b"", **project).out.strip()
        with up(home, tmp_path / "up.log", "--no-api", **project) as running:
            until(lambda: desk.state(job)[0] == "Complété", f"it was not completed: {running.said()}", 60)
            running.process.send_signal(signal.SIGTERM)
            assert running.code() == 0
        bucket, _, key = desk.job(job)["supabase_path"].partition("/")
        assert list(supabase.storage.buckets) == [bucket]
        assert bucket in BUCKETS.values()
        content, kind = supabase.storage.buckets[bucket].objects[key]
        assert (content[:4], kind) == (b"%PDF", "application/pdf")
        assert len(twin.ledger()) == 1
    assert not (home / "postgres").exists(), "no database of its own was started"
    assert desk.sql("select password from worker_accounts") == [{"password": ""}]
    for text in (password, SECRET_KEY, project["REGISTRE_SECRET_KEY"]):
        assert text not in (tmp_path / "up.log").read_text("utf-8")
