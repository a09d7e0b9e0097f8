"""A telling is read while it goes on: every entry once, in order, and an end."""

import asyncio

from paramedic.console.models import EntryView
from paramedic.demo.stories import STORIES
from paramedic.demo.teller import Telling
from paramedic.rehearse.loop import START
from tests.store.clock import until


def entry(number: int) -> EntryView:
    return EntryView(number=number, at=START, kind="note", text=str(number))


async def test_its_reader_gets_every_entry_once_as_it_comes() -> None:
    telling, read = Telling(STORIES[0]), list[int]()

    async def reader() -> None:
        async for one in telling.follow():
            read.append(one.number)

    reading = asyncio.create_task(reader())
    for number in range(1, 4):
        telling.entries.append(entry(number))
        telling.news.set()
        await until(lambda: read == [one.number for one in telling.entries])
    telling.entries.append(entry(4))
    telling.over = True
    telling.news.set()
    await asyncio.wait_for(reading, 5.0)
    assert read == [1, 2, 3, 4]


async def test_one_that_is_over_already_is_read_to_its_end() -> None:
    telling = Telling(STORIES[0], entries=[entry(1), entry(2)], over=True)
    assert [one.number async for one in telling.follow()] == [1, 2]
