"""The probable costs of jobs: those charged before with the server's key, else assumed ones."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, product

from sqlalchemy import Integer, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base
from bot.catalog import Catalog, Tool
from bot.features.wording import credits_message
from bot.languages import Message, ngettext, nlazy
from bot.servers import keys

ANY_KEY = ""  # as a lane: the last charge with any key
MIN_ESTIMATE_CREDITS = 1  # an estimate of 0 would pass every budget
MAX_PRICED_CHOICES = 256  # combinations of one tool's inputs that are looked at


class Price(Base):
    """The last charge of a tool with some price-changing inputs, with a key or (`ANY_KEY`) any."""

    __tablename__ = "prices"

    lane: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    charge: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]  # when it was first charged


@dataclass(frozen=True, slots=True)
class Estimate:
    """Credits that a job will probably cost. `learned` means from charges with the same key, else assumed."""

    amount: int
    learned: bool


def price_of_all(prices: Collection[Estimate]) -> Estimate:
    """Return what jobs of these prices will probably cost together."""
    return Estimate(sum(one.amount for one in prices), learned=all(one.learned for one in prices))


def estimate(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    """Return the credits to reserve for a job, at least 1.

    `assumed` is the catalogue's figure, `charged` what the same tool and price-changing inputs were charged
    last with the same key. `guess` is what other keys were charged: they may have other prices, so it can
    raise the assumed figure and never lower it. Inputs outside the catalogue may cost anything: for them
    `guess` is the dearest charge seen, and the highest of all figures counts, so that they can't slip past a
    budget.
    """
    if charged is not None and in_catalogue:
        return Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)
    known = [figure for figure in (charged, guess) if figure is not None]
    return Estimate(max(MIN_ESTIMATE_CREDITS, assumed, *known), learned=charged is not None)


@dataclass(frozen=True, slots=True)
class ToolPrice:
    """The probable cost of a tool when nothing is chosen, and the known costs with other choices in the place
    of its defaults, the cheapest first."""

    tool: Tool
    price: Estimate
    others: tuple[tuple[Mapping[str, str], Estimate], ...]

    @property
    def most(self) -> int:
        """Return the dearest that is known."""
        return max((self.price.amount, *(price.amount for _, price in self.others)))


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The probable costs of jobs. `own` and `any` are the last charges with one key, and with any, by tool
    and variant."""

    own: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    any: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def expected(self, tool: Tool, inputs: Mapping[str, str], variant: str | None = None) -> Estimate:
        """Return what a job with these inputs will probably be charged. An accepted job has its `variant`."""
        known = tool.in_catalogue(inputs)
        name = (tool.slug, tool.variant(inputs) if variant is None else variant)
        guess = self.any.get(name) if known else self._dearest(tool.slug, tool.mode(inputs))
        return estimate(tool.assumed(inputs), self.own.get(name), guess, known)

    def _dearest(self, tool: str, mode: str | None) -> int | None:
        """Return the highest charge of the tool; `mode` limits them to one mode, such as `mode=video`."""
        return max(
            (
                charge
                for some in (self.own, self.any)
                for (slug, variant), charge in some.items()
                if slug == tool and (mode is None or f" {mode} " in f" {variant} ")
            ),
            default=None,
        )

    def of(self, tool: Tool, values: Mapping[str, str | None]) -> Estimate:
        """Return the price of a job with these values, and the tool's defaults for the others."""
        given = {name: value for name, value in values.items() if value}
        defaults = {one.name: one.default for one in tool.inputs if one.default is not None}
        return self.expected(tool, {**defaults, **given})

    def least(self, tool: Tool) -> Estimate:
        """Return the lowest price of the tool, with any choices.

        Inputs outside the catalogue cost no less: the dearest charge counts for them.
        """
        return min((self.of(tool, one) for one in ({}, *_choices(tool))), key=lambda one: one.amount)

    def least_of_all(self, catalog: Catalog) -> int:
        """Return the lowest price of any tool. If less is left, it can't be spent."""
        return min(self.least(tool).amount for tool in catalog.tools.values())

    def listed(self, tool: Tool) -> ToolPrice:
        """Return the tool's probable cost, and those of other choices that are known."""
        price = self.of(tool, {})
        others = [(choices, self.of(tool, choices)) for choices in _choices(tool)]
        # What is assumed is the same for all choices but the mode.
        modes = set[str]() if isinstance(tool.assumed_cost, int) else {tool.output_from}
        known = [
            (choices, other)
            for choices, other in others
            if other.amount != price.amount and (other.learned or set(choices) == modes)
        ]
        return ToolPrice(tool, price, tuple(sorted(known, key=lambda one: one[1].amount)))


def charges_of(session: Session, lanes: Collection[str]) -> dict[str, PriceTable]:
    """Return the prices with each of these keys."""
    found: dict[str, dict[tuple[str, str], int]] = {lane: {} for lane in (*lanes, ANY_KEY)}
    for one in session.execute(
        select(Price.lane, Price.tool, Price.variant, Price.charge).where(Price.lane.in_(list(found)))
    ):
        found[one.lane][one.tool, one.variant] = one.charge
    return {lane: PriceTable(found[lane], found[ANY_KEY]) for lane in lanes}


def price_table(session: Session, guild_id: int) -> PriceTable:
    """Return what jobs will probably cost with the server's key."""
    key = keys.current(session, guild_id)
    mine = "none" if key is None else key.lane
    return charges_of(session, [mine])[mine]


def _choices(tool: Tool) -> Iterator[dict[str, str]]:
    """Return what the catalogue suggests besides the defaults, where it changes the price."""
    priced = [one for one in tool.inputs if one.price]
    values = [dict.fromkeys((one.default, *one.suggestions)) for one in priced]
    for chosen in islice(product(*values), 1, MAX_PRICED_CHOICES):
        yield {
            one.name: value
            for one, value in zip(priced, chosen, strict=True)
            if value is not None and value != one.default
        }


def price_words(price: Estimate) -> str:
    """Say a price, as `8 credits (last price)` or `about 8 credits`."""
    if price.learned:
        return ngettext("{count} credit (last price)", "{count} credits (last price)", price.amount)
    return str(short_price(price))


def short_price(price: Estimate) -> Message:
    """Say a price, as `8 credits` or `about 8 credits`."""
    if price.learned:
        return credits_message(price.amount)
    return nlazy("about {count} credit", "about {count} credits", price.amount)
