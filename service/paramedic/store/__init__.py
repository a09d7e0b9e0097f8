"""Where things are durable: the port the engine commits through, PostgreSQL behind it, memory for rehearsals."""
