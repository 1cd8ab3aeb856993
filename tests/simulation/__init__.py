"""Simulated days of the real bot, and books that are compared after each: `make simulate`.

The bot is built by `bot.app.build` and runs on one event loop whose clock is simulated (`loop.py`), with
discord.py, aiohttp and SQLAlchemy as they are. Below them a network without sockets (`network.py`) leads to
Discord, its gateway and its CDN (`discord_world.py`, which is the sandbox's emulator) and to Studii
(`studii_world.py`, the sandbox's). The database is SQLite on a file in the loop's own thread. Photos are not
decoded (`media.py`). All randomness comes from the seed, so a run can be repeated to the byte: `--seed 7
--trace FILE` does, and `--shrink` looks for a shorter time and fewer people and troubles with which it fails.

Of the bot's inside nothing is used but `app.build`, `app.run_parts`, `login.choose_intents`, the settings,
the errors with which a process ends, and the decoder's answers; the database's tables only in `books.py`.

To add
- what people do: a plan in `people.py` or `admins.py`, listed in its `ACTORS`. A plan is a generator that
  yields how many seconds it waits; `Person` has hands. What asks for a picture takes a number from
  `World.number`, says it in its prompt (`Person.prompt`) or photo (`Person.photo`), by which the books know
  it again, and notes with `World.wants` that somebody asks for it. What an admin sets is noted in
  `World.rules`. Commands, labels and answers of the bot are named in `wording.py` alone.
- what goes wrong: a kind of `Fault` in `faults.py` for single requests; a plan in `troubles.py`, listed in
  `PLANS`, for the rest. Each counts itself with `Faults.note`.
- a book: a function in `books.py` that yields a sentence for each broken promise, listed in `BOOKS`. Excuse
  what a fault explains, never more.

What it leaves out: several processes and PostgreSQL (`make cluster`), real decoding (`make hostile`), real
sockets and TLS, power cuts, and what the emulator leaves out.
"""
