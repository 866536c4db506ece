# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The mappings: which rule starts which restore job on which connection."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.configuration import saving
from app.configuration.checks import InvalidField
from app.configuration.saving import default_watch
from app.message import Message, duration
from app.qradar.identity import Right
from app.remote.told import JobEntry
from app.restore.model import CdmConnection, CopyManagerError, Mapping, Watch
from app.store.qradar import Rule
from app.web.connections.cdm_calls import jobs_of
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.forms import MappingForm
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.mappings.drift import drifts
from app.web.mappings.job_picker import FEW, MOST, copy_warning, copy_words, pick
from app.web.mappings.rule_picker import Picked
from app.web.mappings.rule_picker import find as find_rule
from app.web.mappings.rule_picker import pick as pick_rule
from app.web.mappings.watch_offer import unwatched
from app.web.services import services

bp = Blueprint("mappings", __name__, url_prefix="/mappings")
_SEARCHING = frozenset({"look", "look_rules", "rule"})  # the buttons that save nothing
bp.add_app_template_filter(copy_words)
bp.add_app_template_filter(copy_warning)


def sentence(mapping: Mapping, connection: str) -> str:
    """What a mapping does, in words."""
    if mapping.rule_id is None and mapping.rule_name is None:
        when = Message("When a custom action names the mapping {name}", name=mapping.name)
    else:
        rule = (
            Message("rule {name}", name=mapping.rule_name)
            if mapping.rule_name
            else Message("the rule")
        )
        if mapping.rule_id is not None:
            rule = Message("{rule} (id {id})", rule=rule, id=mapping.rule_id)
        when = Message("When {rule} fires", rule=rule)
    text = _starts(
        when,
        job=mapping.job_name,
        connection=connection,
        action=mapping.action_name,
        at_most_once_in=duration(mapping.cooldown_s) if mapping.cooldown_s else "",
        needs_approval=mapping.needs_approval,
    )
    return text if mapping.enabled else Message("Disabled: {sentence}", sentence=text)


@bp.get("")
@needs(Right.ADMINISTER)
def show_list() -> str:
    """All mappings, each as a sentence."""
    store = services().store
    names = {one.id: one.name for one in store.connections.list()}
    return render_template(
        "mappings/mappings.html",
        warnings=drifts(store),
        mappings=[(one, sentence(one, names[one.connection_id])) for one in store.mappings.list()],
        connections=store.connections.list(),
        unwatched=unwatched(store),
    )


@bp.get("/new")
@needs(Right.ADMINISTER)
def show_new() -> str:
    """An empty form for a connection, whose jobs are listed; the first step is to choose it."""
    connections = services().store.connections.list()
    asked = request.args.get("connection", "")
    chosen = [one for one in connections if str(one.id) == asked]
    if not chosen and len(connections) == 1:
        chosen = list(connections)
    if not chosen:
        return render_template("mappings/connection.html", connections=connections)
    form = MappingForm(formdata=None)
    _choose_rule(form)
    rule = _rule(form.rule_id.data)
    form.watch.data = default_watch(services().store, rule.id if rule else None).value
    return _page(form, chosen[0], None)


@bp.get("/<int:mapping_id>")
@needs(Right.ADMINISTER)
def show(mapping_id: int) -> str:
    """The form of one mapping."""
    mapping = _get(mapping_id)
    form = MappingForm.of(mapping)
    _choose_rule(form)
    connection = services().store.connections.get(mapping.connection_id)
    return _page(form, connection, mapping)


@bp.post("/new")
@needs(Right.ADMINISTER)
def add() -> str | Response:
    """Save a new mapping, or search the rules or jobs for it."""
    asked = request.form.get("connection", "")
    for connection in services().store.connections.list():
        if str(connection.id) == asked:
            return _save(connection, None)
    raise Problem(400, Message("Choose a connection."), field="connection")


@bp.post("/<int:mapping_id>")
@needs(Right.ADMINISTER)
def change(mapping_id: int) -> str | Response:
    """Save what was changed, or search the rules or jobs."""
    mapping = _get(mapping_id)
    return _save(services().store.connections.get(mapping.connection_id), mapping)


@bp.post("/<int:mapping_id>/delete")
@needs(Right.ADMINISTER)
def delete(mapping_id: int) -> Response:
    """Delete a mapping; its runs stay in the history."""
    mapping = _get(mapping_id)
    saving.delete_mapping(services().store, mapping_id, by=caller().name, now=services().clock())
    flash(Message("Mapping {name} is deleted.", name=mapping.name), "good")
    return go_to("mappings.show_list")


def _get(mapping_id: int) -> Mapping:
    try:
        return services().store.mappings.get(mapping_id)
    except (LookupError, OverflowError) as error:
        raise Problem(404, Message("There is no mapping {id}.", id=mapping_id)) from error


def _rule(text: str | None) -> Rule | None:
    """The console's rule with the id that stands in ``text``, as it was last listed."""
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        return None
    return services().store.qradar.rule(int(digits))


def _choose_rule(form: MappingForm, *, is_new: bool = False) -> None:
    """Put the rule that was picked from the list into the form.

    A new mapping's watch follows the rule as long as nobody has chosen another.
    """
    rule = _rule(request.values.get("rule"))
    if rule is not None:
        before = _rule(form.rule_id.data)
        default = default_watch(services().store, before.id if before else None)
        if is_new and form.watch.data == default:
            form.watch.data = default_watch(services().store, rule.id).value
        form.rule_id.data, form.rule_name.data = str(rule.id), rule.name
        form.name.data = form.name.data or rule.name[:64]
        if rule.type == "OFFENSE" and form.watch.data == Watch.OFF:
            form.watch.data = Watch.ACT.value


def _searches() -> bool:
    """Whether the form was sent to search rules or jobs, or choose a rule: it saves nothing then.

    Enter in any field presses the form's first button, named ``enter``. The page's script tells the
    fields apart; without it Enter searches as long as there is something to search for.
    """
    sent = request.form
    searched = ("job_q", "job_q_before", "rule_q", "rule_q_before")
    return not _SEARCHING.isdisjoint(sent) or ("enter" in sent and any(map(sent.get, searched)))


def _picked_rules(rule_q: str) -> Picked | None:
    """The rules to choose from, where somebody looks for one."""
    sent = request.values
    if "rule" in sent or not (rule_q or "look_rules" in sent or "rule_q" in request.args):
        return None
    return pick_rule(rule_q, again=sent.get("look_rules") == "again")


def _shows_all_jobs() -> bool:
    """Whether the jobs that can't be chosen are listed too: by a button, until another says no."""
    return request.form.get("look", request.form.get("listed")) == "all"


def _save(connection: CdmConnection, mapping: Mapping | None) -> str | Response:
    form = MappingForm()
    if _searches():
        _choose_rule(form, is_new=mapping is None)
        return _page(form, connection, mapping)
    fields = form.values()
    if fields is None:
        return _page(form, connection, mapping)
    failure: CopyManagerError | None = None
    jobs: Sequence[JobEntry] = ()
    try:
        jobs = jobs_of(services(), connection)
    except CopyManagerError as error:
        failure = error  # CDM is not asked again for the page: it may have refused the log-in
    try:
        fields |= {"connection": connection.name}
        # A rule made just now must not be taken for one that was deleted.
        rule_id = fields["rule_id"]
        rule = find_rule(rule_id) if isinstance(rule_id, int) else None
        if rule is not None and not fields["rule_name"]:
            fields |= {"rule_name": rule.name}  # so that it shows when it is renamed
        fields |= {"job_name": _job_name(str(fields["job_id"]), jobs, failure, mapping)}
        saved = saving.save_mapping(
            services().store,
            fields,
            mapping_id=None if mapping is None else mapping.id,
            by=caller().name,
            now=services().clock(),
        )
    except InvalidField as error:
        form.put_error(error)
        return _page(form, connection, mapping, failure=failure)
    flash(Message("Mapping {name} is saved.", name=saved.name), "good")
    return go_to("mappings.show_list")


def _job_name(
    job_id: str,
    jobs: Sequence[JobEntry],
    failure: CopyManagerError | None,
    mapping: Mapping | None,
) -> str:
    """The name of the chosen job. Raises `InvalidField` unless CDM lists it as a restore job.

    While CDM can't be asked, only the job that the mapping already has is taken.
    """
    job = next((job for job in jobs if job.id == job_id), None)
    if job is not None and job.is_restore:
        return job.name
    if job is not None:
        raise InvalidField(
            "job_id", Message("must be a restore job; {job} is not one.", job=job.name)
        )
    if failure is None:
        raise InvalidField("job_id", Message("must be one of the jobs that CDM lists."))
    if mapping is not None and mapping.job_id == job_id:
        return mapping.job_name
    raise InvalidField(
        "job_id", Message("can't be checked while CDM does not answer. Save it later.")
    )


def _page(
    form: MappingForm,
    connection: CdmConnection,
    mapping: Mapping | None,
    *,
    failure: CopyManagerError | None = None,
) -> str:
    """The form; ``failure`` is why CDM's jobs can't be listed, if that is known already."""
    rule_q = "" if "rule" in request.values else request.values.get("rule_q", "").strip()[:200]
    picked = _picked_rules(rule_q)
    chosen = (form.job_id.data or "")[:64]
    return render_template(
        "mappings/mapping.html",
        form=form,
        connection=connection,
        mapping=mapping,
        summary=None if mapping is None else sentence(mapping, connection.name),
        jobs=pick(
            services(),
            connection,
            chosen=chosen,
            chosen_name=mapping.job_name if mapping and mapping.job_id == chosen else "",
            search=request.form.get("job_q", "").strip()[:200],
            show_all=_shows_all_jobs(),
            most=FEW if picked and picked.rules else MOST,
            failure=failure,
        ),
        rule=_rule(form.rule_id.data),
        rule_q=rule_q,
        picked=picked,
        warnings=() if mapping is None else drifts(services().store).get(mapping.id, ()),
    )


def _starts(
    when: str,
    *,
    job: str,
    connection: str,
    action: str | None,
    at_most_once_in: str,
    needs_approval: bool,
) -> Message:
    """What a mapping does when its rule fires."""
    limit = (
        Message("at most once in {time}", time=at_most_once_in)
        if at_most_once_in
        else Message("without a cool-down")
    )
    if needs_approval:
        limit = Message("{limit}, after a person's approval", limit=limit)
    if action:
        connection = Message("{connection} in mode {action}", connection=connection, action=action)
    return Message(
        "{when}, start {job} on {connection}, {limit}.",
        when=when,
        job=job,
        connection=connection,
        limit=limit,
    )
