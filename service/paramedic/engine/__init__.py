"""The engine: makes decisions durable, carries their effects out, and starts over when a commit is in doubt.

`turn` reads as the pipeline. `engine` joins, recovers and runs it; `executors` act, behind the `gate`.
"""
