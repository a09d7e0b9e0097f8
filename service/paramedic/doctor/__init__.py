"""What `paramedic doctor` looks at: each system outside, asked once and at the same time, without changing anything.

`examine.py` asks them all; each of the other modules knows one kind of system and answers with findings.
"""
