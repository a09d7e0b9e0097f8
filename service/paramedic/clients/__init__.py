"""The wires to systems outside: thin clients that validate what leaves, bound every call, and translate every error.

`app` builds them and hands them to the engine as ports; plug-ins only ever hold the ports of `plugin.Tools`, and use
`url` and `answers` to say what may be asked for and what an answer means.
"""
