"""Keeps the simulated Discord at the time of day, which it does not follow by itself."""

from simcord import Env

from bot.clock import Clock


async def catch_up(env: Env, clock: Clock) -> None:
    """Bring the simulation's date to the clock's; it never goes back.

    Raises TimeoutError when the bot is busy for longer than the simulation waits.
    """
    behind = (clock.now() - env.now()).total_seconds()
    if behind > 0:
        await env.advance_time(behind)
