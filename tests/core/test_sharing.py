"""Who owns which shard when members come and go: even, and never more moved than has to be."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from paramedic.core.sharing import SHARDS, handover, shard_of

ALL = tuple(range(SHARDS))


def spread(living: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Everybody carries out its part of the plan."""
    after = {member: list(shards) for member, shards in living.items()}
    for member in living:
        for shard, to in handover(living, member).items():
            after[member].remove(shard)
            after[to].append(shard)
    return after


def test_one_keeps_everything() -> None:
    assert handover({1: ALL}, 1) == {}


def test_a_second_one_is_given_half() -> None:
    plan = handover({1: ALL, 2: ()}, 1)

    assert len(plan) == 32
    assert set(plan.values()) == {2}
    assert handover({1: ALL, 2: ()}, 2) == {}


def test_what_does_not_divide_evenly_stays_where_it_is() -> None:
    assert handover({1: ALL[:21], 2: ALL[21:42], 3: ALL[42:]}, 3) == {}
    assert handover({1: ALL[:22], 2: ALL[22:43], 3: ALL[43:]}, 1) == {}


def test_who_is_no_member_gives_nothing() -> None:
    assert handover({1: ALL}, 9) == {}


@given(st.lists(st.integers(0, 6), min_size=SHARDS, max_size=SHARDS), st.integers(1, 7))
def test_all_end_up_with_as_many_give_or_take_one(owners: list[int], count: int) -> None:
    living = {member: [shard for shard in ALL if owners[shard] % count == member] for member in range(count)}

    after = spread(living)

    sizes = [len(shards) for shards in after.values()]
    assert max(sizes) - min(sizes) <= 1
    assert sorted(shard for shards in after.values() for shard in shards) == list(ALL)
    moved = sum(len(set(after[member]) - set(living[member])) for member in living)
    assert moved <= sum(max(0, len(shards) - SHARDS // count) for shards in living.values())
    assert spread(after) == after, "an even spread stays as it is"


@given(st.text())
def test_every_key_has_a_shard(key: str) -> None:
    assert 0 <= shard_of(key) < SHARDS
    assert shard_of(key) == shard_of(key)
