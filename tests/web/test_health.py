# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``GET /api/v1/health`` and the bundle for support tell of ends and of drift."""

from datetime import timedelta

from tests.web.conftest import ADMIN, ANALYST, World


def test_armed_is_no_good_news_where_no_rule_can_start_anything(world: World) -> None:
    world.arm()
    mapping = world.add_mapping(world.add_connection())
    client = world.client(ANALYST)
    sentence = "Rules start restores."
    assert "No rule can start a restore: there is no trigger token." in client.get("/").text
    assert sentence not in client.get("/").text
    world.store.tokens.new("event processors", by="anna", now=world.clock())
    assert sentence in client.get("/").text
    world.store.mappings.change(mapping.id, enabled=False)
    assert "No rule can start a restore: no mapping is switched on." in client.get("/").text
    assert sentence not in client.get("/").text


def test_health_tells_when_certificates_end_and_what_has_drifted(world: World) -> None:
    connection = world.add_connection()
    mapping = world.add_mapping(connection)
    client = world.client(ANALYST)
    health = client.get("/api/v1/health").json
    assert health["connections"][0]["certificate_ends_at"] is None
    assert health["qradar"]["certificate_ends_at"] is None
    assert health["drift"] == []
    world.store.connections.note_certificate(connection, world.clock() + timedelta(days=1))
    world.store.qradar.note_certificate(world.clock() + timedelta(days=2))
    world.store.mappings.note_job_drift(mapping.id, "Job 1044 is called B now, not A.")
    health = client.get("/api/v1/health").json
    assert health["connections"][0]["certificate_ends_at"].startswith("2026-11-25T08:00:00")
    assert health["qradar"]["certificate_ends_at"].startswith("2026-11-26T08:00:00")
    words = ["Job 1044 is called B now, not A."]
    assert health["drift"] == [{"mapping": "SQL attack", "warnings": words}]
    bundle = world.client(ADMIN).get("/diagnostics/bundle.json").json
    for part in ("connections", "qradar", "drift"):
        assert bundle["health"][part] == health[part]
