"""The kinds of failure, and nothing else. Every layer raises these; the engine dispatches on the four outcomes.

    ParamedicError
    ├── Temporary        may succeed later; says after how long at the earliest
    ├── Permanent        will not succeed by trying again
    │   ├── Missing      what is asked for does not exist
    │   └── Changed      the target is not any more what the write was planned against; nothing was changed
    ├── Refused          a guard, the gate or the switch said no, before anything was changed
    ├── UnknownOutcome   the call left, and nobody can say whether it took effect
    └── Fault            input that a person wrote or sent is wrong; says what, where and what would be right

Library errors are translated into these at the edge that calls the library, with the cause chained.
"""


class ParamedicError(Exception):
    """Base of every error that Paramedic raises on purpose."""


class Temporary(ParamedicError):
    """It may succeed later. `delay` is the shortest wait in seconds before another try makes sense."""

    def __init__(self, message: str, *, delay: float = 1.0) -> None:
        super().__init__(message)
        self.delay = delay


class Permanent(ParamedicError):
    """Trying again cannot help."""


class Missing(Permanent):
    """What is asked for does not exist (any more)."""


class Changed(Permanent):
    """The target compared and said no: it is not what the write was planned against. Planning anew may help."""


class Refused(ParamedicError):
    """Something that may say no said no; nothing was changed. The message is the reason a person reads."""


class UnknownOutcome(ParamedicError):
    """A write left this process and its answer never came. It must not be repeated blindly."""


class Fault(ParamedicError):
    """Input is wrong: `where` it is, `what` is wrong, and what would be `right` (may be empty)."""

    def __init__(self, where: str, what: str, right: str = "") -> None:
        super().__init__(f"{where}: {what}" + (f"; {right}" if right else ""))
        self.where = where
        self.what = what
        self.right = right
