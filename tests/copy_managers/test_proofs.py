# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What each kind of lost answer proves, and that a request that acts goes out at most once."""

import pytest

from app.restore.model import CopyManagerError, NothingSent, Phase, Refused
from tests.copy_managers.bench import ACTS, Bench, Loss

_BEFORE = {"cancel": Phase.RUNNING, "clean_up": Phase.READY}


def arranged(bench: Bench, verb: str) -> str:
    """A job session on which the verb makes sense; none for a start."""
    return bench.begin(_BEFORE[verb]) if verb in _BEFORE else ""


def had_effect(bench: Bench, verb: str, session_id: str) -> bool:
    """Whether the product shows that it was done."""
    if verb == "start":
        sessions = bench.manager.sessions(bench.job_id)
        assert len(sessions) <= 1, "started twice"
        return bool(sessions)
    return bench.manager.session(session_id, was_running=True).phase is not _BEFORE[verb]


@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize("loss", Loss)
def test_a_loss_is_told_as_what_it_proves_and_the_request_goes_out_at_most_once(
    bench: Bench, loss: Loss, verb: str
) -> None:
    session_id = arranged(bench, verb)
    bench.lose(verb, loss)
    with pytest.raises(CopyManagerError) as told:
        bench.act(verb, session_id)
    arrived = bench.arrived(verb)
    bench.mend()
    assert type(told.value) is loss.told
    assert arrived == bench.arrived(verb) == int(loss.goes_out)
    assert had_effect(bench, verb, session_id) is loss.has_effect


@pytest.mark.parametrize("verb", ACTS)
@pytest.mark.parametrize("loss", [one for one in Loss if issubclass(one.told, NothingSent)])
def test_what_provably_had_no_effect_can_be_asked_for_again(
    bench: Bench, loss: Loss, verb: str
) -> None:
    session_id = arranged(bench, verb)
    bench.lose(verb, loss)
    with pytest.raises(NothingSent):
        bench.act(verb, session_id)
    bench.mend()
    bench.act(verb, session_id)
    assert had_effect(bench, verb, session_id)


def test_only_what_is_without_effect_is_told_as_proof() -> None:
    """The words that the heart acts upon, checked against what the losses do."""
    proofs = {loss for loss in Loss if issubclass(loss.told, NothingSent | Refused)}
    assert {loss for loss in Loss if loss.has_effect} & proofs == set()
    assert {loss for loss in Loss if not loss.goes_out} <= proofs
