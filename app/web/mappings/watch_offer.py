# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Offers the offense watch once to mappings that were made before it was the default."""

from collections.abc import Sequence

from flask import Blueprint, request
from werkzeug.wrappers import Response

from app.configuration import saving
from app.message import Message
from app.qradar.identity import Right
from app.restore.model import Mapping, Watch
from app.store.store import Store
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.services import services

bp = Blueprint("watch_offer", __name__, url_prefix="/mappings/watch-offer")


def unwatched(store: Store) -> Sequence[Mapping]:
    """The mappings to which the watch is offered; none once the offer was answered.

    Without a service token nothing could be watched.
    """
    if store.settings.watch_offer_answered or store.qradar.token_label() is None:
        return ()
    return [
        one
        for one in store.mappings.list()
        if one.watch is Watch.OFF and (one.rule_id is not None or one.rule_name is not None)
    ]


@bp.post("")
@needs(Right.ADMINISTER)
def answer() -> Response:
    """Switch the watch on for all that lack it, or leave them as they are, once."""
    said = request.form.get("answer", "")
    if said not in {"notify", "off"}:
        raise Problem(400, Message("answer must be notify or off."), field="answer")
    store, by, now = services().store, caller().name, services().clock()
    with store.transaction():
        offered = unwatched(store) if said == "notify" else ()
        for one in offered:
            fields: dict[str, object] = {"watch": str(Watch.NOTIFY)}
            saving.save_mapping(store, fields, mapping_id=one.id, by=by, now=now)
        store.settings.set("watch_offer", said, by=by, now=now)
    flash(_answered([one.name for one in offered]), "good")
    return go_to("mappings.show_list")


def _answered(names: Sequence[str]) -> Message:
    """The watch was switched on, or declined."""
    if names:
        return Message(
            "Offenses that brought no trigger are now shown for: {names}.", names=", ".join(names)
        )
    return Message("The mappings stay as they are; each has its offense watch on its page.")
