"""An answer that somebody waits for is not lost with the tidying up after others: promise 8 for those who asked."""

import pytest
from msgspec.structs import replace

from paramedic.errors import ParamedicError
from paramedic.store.port import Batch
from tests.store import rows
from tests.store.stores import PostgresStores


async def test_an_answer_stays_when_what_is_forgotten_cannot_be_thrown_away(postgres: PostgresStores) -> None:
    wanted, forgotten = replace(rows.answer(1), at=rows.NOW.replace(year=2100)), rows.answer(2)
    store = await postgres.beside(Batch(answers=[wanted, forgotten]))
    await postgres.run(
        "create function stuck() returns trigger language plpgsql as"
        " $$ begin if old.id = 2 then raise exception 'stuck'; end if; return old; end $$"
    )
    await postgres.run("create trigger stuck before delete on answer for each row execute function stuck()")

    with pytest.raises(ParamedicError, match="stuck"):
        await store.answers([1])

    await postgres.run("drop trigger stuck on answer")
    assert await store.answers([1]) == [wanted]
    assert (await postgres.kept())["answers"] == [], "and nobody came for the other one"
