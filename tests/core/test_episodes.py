"""The rules of episodes: what one element of a delivery means for its alert, whatever came before it.

Promise 2: however often, by however many twins, in whatever order and however late, one episode opens once.
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.episodes import DOUBT, Change, lapse_due, lapsed, observe, released, unanswered
from paramedic.core.model import Alert, Episode
from tests.core.builders import EXPIRY, HOUR, T0, after, firing, resolved


def seen(*samples: Alert, at: float = 0.0, known: Episode | None = None) -> tuple[Episode, list[Change]]:
    """The episode after these samples, one second apart, and what each of them changed."""
    changes: list[Change] = []
    for number, sample in enumerate(samples):
        known, change = observe(known, sample, after(at + number), EXPIRY)
        changes.append(change)
    assert known is not None
    return known, changes


# -- opening ----------------------------------------------------------------------------------------------------------


def test_a_first_firing_opens() -> None:
    episode, changes = seen(firing(starts=-30))

    assert changes == ["opened"]
    assert (episode.open, episode.count, episode.starts_at, episode.seen_at) == (True, 1, after(-30), T0)
    assert (episode.alertname, episode.labels) == ("HighErrorRate", {"alertname": "HighErrorRate", "job": "api"})


def test_a_repetition_changes_nothing_and_is_not_written() -> None:
    """Twins, retries and repeats say the same thing again."""
    episode, changes = seen(firing(), firing(), firing())

    assert changes == ["opened", "ignored", "ignored"]
    assert episode == seen(firing())[0]


@pytest.mark.parametrize(("later", "change"), [(EXPIRY / 4 - 1, "ignored"), (EXPIRY / 4, "seen")])
def test_a_sighting_is_written_only_after_a_quarter_of_the_expiry(later: float, change: Change) -> None:
    episode, changes = seen(firing(), at=later, known=seen(firing())[0])

    assert changes == [change]
    assert episode.seen_at == (after(later) if change == "seen" else T0)


def test_a_start_that_moved_is_recorded_and_opens_nothing() -> None:
    """It ended and came back between two flushes, and nobody told us of the end."""
    episode, changes = seen(firing(starts=0), firing(starts=60))

    assert changes == ["opened", "moved"]
    assert (episode.open, episode.starts_at, episode.count) == (True, after(60), 1)


def test_an_earlier_start_changes_nothing() -> None:
    """A second Prometheus reports the same firing from before."""
    episode, changes = seen(firing(starts=60), firing(starts=0))

    assert changes == ["opened", "ignored"]
    assert episode.starts_at == after(60)


# -- closing ----------------------------------------------------------------------------------------------------------


def test_a_resolved_closes_and_its_end_is_kept() -> None:
    episode, changes = seen(firing(), resolved(ends=90))

    assert changes == ["opened", "closed"]
    assert (episode.open, episode.ended_at, episode.closed_by) == (False, after(90), "resolved")


@pytest.mark.parametrize("ends", [-5, 0], ids=["before the start", "at the start"])
def test_a_resolved_that_ended_before_the_open_start_closes_nothing(ends: float) -> None:
    episode, changes = seen(firing(starts=0), resolved(ends=ends, starts=-60))

    assert changes == ["opened", "ignored"]
    assert episode.open


def test_a_resolved_as_old_as_the_last_one_closes_nothing() -> None:
    """The end of the episode before, delivered once more, is not the end of this one."""
    again, _ = seen(firing(starts=0), resolved(ends=90), firing(starts=100))

    assert seen(resolved(ends=90), known=again)[1] == ["ignored"]
    assert seen(resolved(ends=80), known=again)[1] == ["ignored"]
    assert seen(resolved(ends=150), known=again)[1] == ["closed"]


def test_a_resolved_without_an_end_ends_now() -> None:
    alert = resolved(ends=0)
    endless = Alert(alert.source, alert.identity, alert.labels, {}, False, alert.starts_at)

    episode, _ = seen(endless, at=45, known=seen(firing())[0])

    assert episode.ended_at == after(45)


def test_the_end_of_an_unknown_alert_is_kept() -> None:
    """It arrived before its firing: kept, so that the late firing is known to be an echo."""
    episode, changes = seen(resolved(ends=90))

    assert changes == ["noted"]
    assert (episode.open, episode.ended_at) == (False, after(90))
    assert seen(firing(starts=0), known=episode)[1] == ["doubted"]


def test_a_newer_end_of_what_is_closed_is_noted() -> None:
    episode, changes = seen(firing(), resolved(ends=90), resolved(ends=95), resolved(ends=92))

    assert changes == ["opened", "closed", "noted", "ignored"]
    assert episode.ended_at == after(95)


# -- echo or refire ---------------------------------------------------------------------------------------------------


def test_a_firing_after_the_end_opens_a_new_episode() -> None:
    episode, changes = seen(firing(starts=0), resolved(ends=90), firing(starts=91))

    assert changes == ["opened", "closed", "opened"]
    assert (episode.open, episode.count, episode.closed_by, episode.starts_at) == (True, 2, "", after(91))


@pytest.mark.parametrize("starts", [0, 90], ids=["the old start", "exactly the end"])
def test_a_firing_that_began_before_the_end_is_in_doubt(starts: float) -> None:
    """A twin's echo of what is over, or a real refire whose start was not moved."""
    episode, changes = seen(firing(starts=0), resolved(ends=90), firing(starts=starts), firing(starts=starts))

    assert changes == ["opened", "closed", "doubted", "ignored"]
    assert (episode.open, episode.doubted_at, episode.count) == (False, after(2), 1)


def test_a_resolved_clears_the_doubt() -> None:
    """The twin whose echo it was says that it is over, too: with the same end or a newer one."""
    doubted, _ = seen(firing(starts=0), resolved(ends=90), firing(starts=0))

    assert seen(resolved(ends=89), known=doubted)[1] == ["ignored"]
    for ends in (90, 95):
        episode, changes = seen(resolved(ends=ends), known=doubted)
        assert changes == ["undoubted"]
        assert (episode.open, episode.doubted_at, episode.ended_at) == (False, None, after(ends))


def test_a_firing_that_began_after_the_end_settles_the_doubt() -> None:
    episode, changes = seen(firing(starts=0), resolved(ends=90), firing(starts=0), firing(starts=91))

    assert changes == ["opened", "closed", "doubted", "opened"]
    assert (episode.open, episode.doubted_at, episode.count) == (True, None, 2)


def test_a_doubt_nobody_answers_reopens_the_same_episode() -> None:
    doubted, _ = seen(firing(starts=0), resolved(ends=90), firing(starts=0))
    assert doubted.doubted_at is not None

    assert unanswered([doubted], doubted.doubted_at + DOUBT - timedelta(seconds=1)) == []
    (back,) = unanswered([doubted], doubted.doubted_at + DOUBT)

    assert (back.open, back.doubted_at, back.closed_by, back.count) == (True, None, "", 1)


def test_after_a_doubt_the_old_end_closes_nothing_and_a_newer_one_does() -> None:
    doubted, _ = seen(firing(starts=0), resolved(ends=90), firing(starts=0))
    (back,) = unanswered([doubted], after(HOUR))

    assert seen(resolved(ends=90), known=back)[1] == ["ignored"]
    assert seen(resolved(ends=200), known=back)[1] == ["closed"]


# -- expiry and people ------------------------------------------------------------------------------------------------


def test_an_episode_nobody_confirms_expires() -> None:
    """A sighting is written only after a quarter of the expiry, so that quarter is waited for as well."""
    episode, _ = seen(firing())
    due = lapse_due(episode.seen_at, EXPIRY)

    assert due == after(EXPIRY * 1.25)
    assert lapsed([episode], due - timedelta(seconds=1), EXPIRY) == []
    (over,) = lapsed([episode], due, EXPIRY)
    assert (over.open, over.closed_by) == (False, "expired")


def test_only_open_episodes_expire() -> None:
    closed, _ = seen(firing(), resolved(ends=90))

    assert lapsed([closed], after(100 * HOUR), EXPIRY) == []


def test_a_repeat_after_expiry_reopens_and_a_new_firing_opens() -> None:
    (over,) = lapsed([seen(firing(starts=0))[0]], after(20 * HOUR), EXPIRY)

    same, changes = seen(firing(starts=0), known=over)
    assert (changes, same.open, same.count) == (["reopened"], True, 1)
    new, changes = seen(firing(starts=HOUR), known=over)
    assert (changes, new.open, new.count) == (["opened"], True, 2)


def test_a_person_closes_what_is_open_or_in_doubt() -> None:
    open_, _ = seen(firing())
    closed, _ = seen(firing(), resolved(ends=90))
    doubted, _ = seen(firing(), resolved(ends=90), firing())

    over = released([open_, closed, doubted], after(60))

    assert [(one.open, one.closed_by, one.doubted_at) for one in over] == [(False, "person", None)] * 2


def test_what_a_person_closed_comes_back_with_the_next_repeat() -> None:
    """Resolved by a person while firing is an acknowledgement with a timeout."""
    (over,) = released([seen(firing())[0]], after(60))

    assert seen(firing(), known=over)[1] == ["reopened"]


# -- any order --------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Alert], bool, int]:
    """What really happened: firings one after the other; all samples of it, in any order and repeated at will."""
    count = draw(st.integers(1, 4))
    moments = sorted(draw(st.lists(st.integers(0, 1000), min_size=2 * count, max_size=2 * count, unique=True)))
    still = draw(st.booleans())
    samples = []
    for number in range(count):
        starts, ends = moments[2 * number], moments[2 * number + 1]
        samples.append(firing(starts=starts))
        if number < count - 1 or not still:
            samples.append(resolved(ends=ends, starts=starts))
    repeated = samples + draw(st.lists(st.sampled_from(samples), max_size=8))
    return draw(st.permutations(repeated)), still, count


def fold(samples: Sequence[Alert]) -> tuple[Episode, int]:
    episode: Episode | None = None
    opened = 0
    for sample in samples:
        episode, change = observe(episode, sample, T0, EXPIRY)
        opened += change == "opened"
    assert episode is not None
    return episode, opened


@given(histories())
@settings(max_examples=120, deadline=None)
def test_any_order_and_repetition_comes_to_the_same_end(history: tuple[list[Alert], bool, int]) -> None:
    """Promise 2, for every order: it is open exactly if the last firing has not ended, and no firing opens twice."""
    samples, still_firing, firings = history

    episode, opened = fold(samples)

    assert episode.open is still_firing
    assert opened <= firings
    assert episode.count == opened


@given(histories())
@settings(max_examples=50, deadline=None)
def test_hearing_everything_again_opens_nothing(history: tuple[list[Alert], bool, int]) -> None:
    samples, still_firing, _ = history
    episode, _ = fold(samples)

    for sample in samples:
        episode, change = observe(episode, sample, T0, EXPIRY)
        assert change not in ("opened", "reopened", "closed")

    assert episode.open is still_firing
