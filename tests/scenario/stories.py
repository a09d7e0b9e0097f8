"""Stories that must end alike, whatever is done to their delivery: doubled, late, shaken, or with the process ended.

Times are far enough apart that a twin 17 s late is late for its own POST only, unless the story says otherwise.
"""

from tests.scenario.telling import Came, Post, firing, keys, pages, post, resolved

Story = tuple[list[Post], Came]

STORIES: dict[str, Story] = {
    "fires and ends": (
        [post(30.0, firing(1, 0.0)), post(90.0, resolved(1, 0.0, 80.0))],
        Came(opened=1, incidents=1, keys=keys(1), pages=pages(1)),
    ),
    "fires, is repeated, ends, and the end is repeated": (
        [
            post(30.0, firing(1, 0.0)),
            post(60.0, firing(1, 0.0)),
            post(90.0, resolved(1, 0.0, 80.0)),
            post(120.0, resolved(1, 0.0, 80.0), firing(2, 110.0)),
            post(180.0, resolved(1, 0.0, 80.0), resolved(2, 110.0, 170.0)),
        ],
        Came(opened=2, incidents=2, keys=keys(1, 2), pages=pages(1, 2)),
    ),
    "ends and fires again within the quiet time": (
        [
            post(30.0, firing(1, 0.0)),
            post(90.0, resolved(1, 0.0, 80.0)),
            post(150.0, firing(1, 140.0)),
            post(210.0, resolved(1, 140.0, 200.0)),
        ],
        Came(opened=2, incidents=1, keys=keys(1, runs=2), pages=("INC-1/1/1", "INC-1/2/1")),
    ),
    "ends and fires again after the quiet time": (
        [
            post(30.0, firing(1, 0.0)),
            post(90.0, resolved(1, 0.0, 80.0)),
            post(1230.0, firing(1, 1220.0)),
            post(1290.0, resolved(1, 1220.0, 1280.0)),
        ],
        Came(opened=2, incidents=2, keys=keys(1, 2), pages=pages(1, 2)),
    ),
    "a flap that nobody told of": (
        [post(30.0, firing(1, 0.0)), post(90.0, firing(1, 70.0)), post(150.0, resolved(1, 70.0, 140.0))],
        Came(opened=1, incidents=1, keys=keys(1), pages=pages(1)),
    ),
    "members of a group come and go": (
        [
            post(30.0, firing(1, 0.0), firing(2, 0.0)),
            post(90.0, firing(1, 0.0), resolved(2, 0.0, 80.0)),
            post(150.0, firing(1, 0.0), firing(3, 140.0)),
            post(210.0, resolved(1, 0.0, 200.0), resolved(3, 140.0, 205.0)),
        ],
        Came(opened=3, incidents=3, keys=keys(1, 2, 3), pages=pages(1, 2, 3)),
    ),
    "an end without a beginning": (
        [post(30.0, resolved(1, 0.0, 20.0)), post(90.0, firing(2, 60.0)), post(150.0, resolved(2, 60.0, 140.0))],
        Came(opened=1, incidents=1, keys=keys(1), pages=pages(1)),
    ),
}
