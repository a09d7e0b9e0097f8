"""The store of rehearsals and simulations: the same promises over dictionaries, with failures to order."""

from paramedic.store.memory.disk import MemoryDisk
from paramedic.store.memory.store import MemoryStore

__all__ = ["MemoryDisk", "MemoryStore"]
