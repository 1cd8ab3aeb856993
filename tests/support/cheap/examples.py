"""Let Hypothesis choose its examples without the constants that stand in the bot's and the tests' modules.

Each process would first read and sort those of five hundred modules, and choose others when one changes.
"""

from hypothesis.internal.conjecture import providers


def choose_without_local_constants() -> None:
    """Leave it with the constants that it brings itself."""
    none = providers.__dict__["_local_constants"]
    providers.__dict__["_get_local_constants"] = lambda: none
