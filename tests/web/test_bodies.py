# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Bodies that are not what their sender meant: every view refuses them before it acts."""

import io
from typing import Any

import pytest

from app.web.front.framing import BODY_LIMIT, BODY_PROBLEM, Problem
from tests.web.conftest import ADMIN, World

FORM = "application/x-www-form-urlencoded"
WRITES = ("/settings/mode", "/api/v1/triggers", "/api/v1/runs/1/cancel", "/api/v1/uninstall")


def send(world: World, path: str, body: bytes, **environ: Any) -> Any:
    kind = "application/json" if path.startswith("/api/v1/runs") else FORM
    return world.client(ADMIN).post(
        path, content_type=kind, input_stream=io.BytesIO(body), environ_overrides=environ
    )


@pytest.mark.parametrize("path", WRITES)
def test_a_body_that_is_shorter_than_its_length_is_refused(world: World, path: str) -> None:
    """Also where the server below says that it has bounded the input, as gunicorn does."""
    for more in ({}, {"wsgi.input_terminated": True}):
        answer = send(world, path, b"rule_id=100", CONTENT_LENGTH="15", **more)
        assert answer.status_code == 400, more
    if path.startswith("/api/"):
        assert answer.json["error"]["code"] == "cut_off"
    else:
        assert "cut off on its way" in answer.text


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    ("problem", "status"), [(Problem.CUT, 400), (Problem.FRAMING, 400), (Problem.TOO_LARGE, 413)]
)
def test_what_the_front_found_wrong_is_told_by_every_view(
    world: World, path: str, problem: Problem, status: int
) -> None:
    answer = send(world, path, b"", **{BODY_PROBLEM: problem, "wsgi.input_terminated": True})

    assert answer.status_code == status


def test_a_form_in_chunks_is_bounded_like_any_other(world: World) -> None:
    """Werkzeug would cut it off at its limit, without a word."""
    body = b"mode=armed&x=" + b"x" * BODY_LIMIT
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    assert send(world, "/settings/mode", body, **chunked).status_code == 413


def test_an_unknown_address_is_told_first(world: World) -> None:
    assert send(world, "/nothing", b"a", CONTENT_LENGTH="15").status_code == 404


FORMS = {
    "/connections/new": ("name", "host", "port", "username", "password", "fingerprint", "proxy"),
    "/mappings/new": ("name", "rule_id", "rule_name", "job_id", "action_name", "cooldown_s"),
}


@pytest.mark.parametrize(("path", "field"), [(p, f) for p, names in FORMS.items() for f in names])
def test_a_file_in_place_of_a_text_is_refused_by_its_name(
    world: World, path: str, field: str
) -> None:
    world.add_connection()
    client = world.client(ADMIN)
    answer = client.post(
        path,
        data={
            "csrf_token": world.csrf(client),
            "connection": "prod",
            field: (io.BytesIO(b"x"), "x.txt"),
        },
        content_type="multipart/form-data",
    )

    assert answer.status_code == 400
    assert f"The field {field} must be text" in answer.text


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 150, "x" * 5000, "a%00b", "..%2f..%2fetc"])
def test_no_name_of_a_static_file_is_too_odd_to_be_missing(world: World, name: str) -> None:
    assert world.client().get(f"/static/{name}").status_code == 404
