"""Trials of jobs on which moderators decide: killed while they are asked, and while they decide."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.jobs.models import JobState
from sandbox.discord.emulator.interactions import Interaction
from tests.crash.life import ENDED
from tests.crash.moderated import OVER, SHOWN, Moderated, ModeratedCase, Press
from tests.crash.trial import Death, Verdict, deaths_of, ensure_known
from tests.crash.world import KILLED, CrashWorlds, Zygote

DAY = 86_400.0 + 60  # seconds: nobody may decide any more
TRIES = 3  # lives in which moderators press again, because no one answered
PRESSING, POSTING = "buttons.callback", "outbox."  # parts of points
EVERY = 25  # of the points that an ordinary job's life has as well, one in so many


@dataclass(frozen=True)
class Step:
    """What people do to what waits: press these, at once, or nothing. `later`: so many seconds later."""

    presses: Sequence[Press] = ()
    later: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A job from its command to its end. `ends`: how it may end, but for an unknown outcome."""

    name: str
    steps: Sequence[Step]
    ends: frozenset[JobState]

    @property
    def results(self) -> bool:
        """Whether its result waits as well."""
        return len(self.steps) > 1


def _scene(name: str, *steps: Step, ends: Sequence[JobState]) -> Scene:
    return Scene(name, steps, frozenset(ends))


_DONE, _FAILED, _WITHHELD = JobState.SUCCEEDED, JobState.FAILED, JobState.WITHHELD
_YES, _NO = Press.APPROVE, Press.DECLINE
_POST, _HIDE = Press.APPROVE_RESULT, Press.DECLINE_RESULT
_APPROVED = Step([_YES])
REQUESTS: Sequence[Scene] = (
    _scene("approved", _APPROVED, ends=[_DONE]),
    _scene("declined", Step([_NO]), ends=[_FAILED]),
    _scene("decided by nobody", Step(later=DAY), ends=[_FAILED]),
    _scene("approved by two", Step([_YES, _YES]), ends=[_DONE]),
    _scene("approved and declined", Step([_YES, _NO]), ends=[_DONE, _FAILED]),
    _scene("declined and approved", Step([_NO, _YES]), ends=[_DONE, _FAILED]),
    _scene("cancelled", Step([Press.CANCEL]), ends=[JobState.CANCELLED]),
    _scene("cancelled and approved", Step([Press.CANCEL, _YES]), ends=[JobState.CANCELLED, _DONE]),
    _scene("approved at its end", Step([_YES], DAY), ends=[_DONE, _FAILED]),
)
RESULTS: Sequence[Scene] = (
    _scene("result approved", _APPROVED, Step([_POST]), ends=[_DONE]),
    _scene("result declined", _APPROVED, Step([_HIDE]), ends=[_WITHHELD]),
    _scene("result seen by nobody", _APPROVED, Step(later=DAY), ends=[_WITHHELD]),
    _scene("result approved by two", _APPROVED, Step([_POST, _POST]), ends=[_DONE]),
    _scene("result approved and declined", _APPROVED, Step([_POST, _HIDE]), ends=[_DONE, _WITHHELD]),
    _scene("result declined and approved", _APPROVED, Step([_HIDE, _POST]), ends=[_DONE, _WITHHELD]),
    _scene("result approved at its end", _APPROVED, Step([_POST], DAY), ends=[_DONE, _WITHHELD]),
)
ASKED = -1  # the number of the step in which the command is used
Begin = Callable[[], tuple[Mapping[str, Any], list[Interaction]]]


@dataclass(frozen=True)
class ApprovalTrial:
    """A scene in which the process dies in one of its steps.

    `hurried`: moderators press as soon as there is another life, and not in the one after it.
    """

    scene: Scene
    at: int = ASKED
    deaths: Sequence[Death] = ()
    hurried: bool = False

    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        return await _Attempt(self, Moderated.around(worlds), zygote).make()

    @property
    def step(self) -> Step:
        """The step in which the process dies."""
        return Step() if self.at == ASKED else self.scene.steps[self.at]

    @property
    def part(self) -> str:
        """Which part of the scene that is."""
        return f"{self.scene.name}, asked" if self.asks else self.scene.name

    @property
    def asks(self) -> bool:
        """Whether moderators are asked something in that step."""
        return self.at < len(self.scene.steps) - 1

    def __str__(self) -> str:
        deaths = " | ".join(f"{death.point} (time {death.nth})" for death in self.deaths) or "no death"
        return f"[{self.scene.name}, step {self.at}{', hurried' * self.hurried}] {deaths}"


class _Attempt:
    """One trial, from its begin to its verdict."""

    def __init__(self, trial: ApprovalTrial, own: Moderated, zygote: Zygote) -> None:
        self._trial = trial
        self._own = own
        self._zygote = zygote
        self._later = 0.0
        self._died = 0
        self._unknown = False
        self._points: Mapping[str, int] = {}
        self._complaints: list[str] = []

    async def make(self) -> Verdict:
        scene, own = self._trial.scene, self._own
        case = await own.moderated_case(results=scene.results)
        own.discord.channels.readable = True
        await self._play(case, ASKED, lambda: ({"interaction": case.interaction}, []))
        for number, step in enumerate(scene.steps):
            await self._decide(case, number, step)
        job, complaints = await own.wrong(case, may_be_unknown=self._unknown)
        if job is not None:
            complaints += own.of_the_moderators(case, job)
            known = job.state in scene.ends or job.state is JobState.UNKNOWN
            complaints += [] if known else [f"it ended as {job.state}"]
        await own.drop(case)
        state = None if job is None else job.state
        return Verdict(state, self._died, self._complaints + complaints, self._points)

    async def _decide(self, case: ModeratedCase, number: int, step: Step) -> None:
        """Let moderators decide, again and again until it is decided."""
        waits = JobState.REVIEWING if number else JobState.PENDING
        if step.later:
            self._later = step.later
            self._own.discord.channels.forget_nonces()
        for tries in range(TRIES):
            if await self._own.state(case) is not waits:
                return
            await self._play(case, number, lambda: self._own.press(case, step.presses), again=tries > 0)

    async def _play(self, case: ModeratedCase, number: int, begin: Begin, *, again: bool = False) -> None:
        """Let people begin something. The life after one that dies of it is not told of it."""
        doomed = number == self._trial.at and not again
        options, begun = begin()
        for death in self._trial.deaths if doomed else ():
            code = await self._live(case, point=death.point, nth=death.nth, **options)
            options, begun = {}, []
            if code != KILLED:
                break
            self._died += 1
            self._unknown = self._unknown or await self._own.state(case) is JobState.SUBMITTING
        else:
            waits = await self._own.state(case) in (JobState.PENDING, JobState.REVIEWING)
            if self._died and doomed and self._trial.hurried and waits:
                return  # people press what a dead process has posted
        trace = doomed and not self._trial.deaths
        code = await self._live(case, trace=trace, **options)
        if code != ENDED:
            self._complaints.append(f"a life ended with {code}")
        elif trace:
            self._points = self._own.points(case)
        case.presses += begun

    async def _live(self, case: ModeratedCase, **options: Any) -> int:
        goes_on = OVER if self._later else SHOWN
        code = await self._zygote.live(self._own.life(case, goes_on=goes_on, later=self._later, **options))
        self._complaints += await self._own.hasty_steps(case)
        return code


class Deaths:
    """Chooses at which points to die in a step: at those that no life before has, and at some of the others.

    `known` are the points of an ordinary job's lives.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = set(known)

    def of(self, trial: ApprovalTrial, points: Mapping[str, int]) -> list[ApprovalTrial]:
        """The trials to make of a step that passed these points. Where two press, each is killed there."""
        deaths = deaths_of(points)
        own = [death for death in deaths if death.point not in self._known]
        others = [death for death in deaths if death.point in self._known]
        if len(trial.step.presses) > 1:
            ensure_known(points, PRESSING)
            press = [one for one in deaths if PRESSING in one.point and one.nth == 1]
            own += [replace(one, nth=2) for one in press if points[one.point] > 1]
        self._known |= set(points)
        return [replace(trial, deaths=[death]) for death in (*dict.fromkeys(own), *others[::EVERY])]


def quiet_trials() -> list[ApprovalTrial]:
    """Each step of each scene without a death; those that begin like another one's once."""
    asked = [ApprovalTrial(REQUESTS[0]), ApprovalTrial(RESULTS[0], 0)]
    return asked + [ApprovalTrial(one, len(one.steps) - 1) for one in (*REQUESTS, *RESULTS)]


def killed_hurriedly(trials: Iterable[ApprovalTrial]) -> list[ApprovalTrial]:
    """The deaths around the message with which moderators are asked, who then press at once.

    Or its person does, and cancels it.
    """
    asked = [replace(one, hurried=True) for one in trials if one.deaths and one.asks]
    ensure_known([one.deaths[0].point for one in asked], POSTING)
    asked = [one for one in asked if POSTING in one.deaths[0].point]
    cancelled = next(one for one in REQUESTS if one.steps[0].presses == [Press.CANCEL])
    return asked + [replace(one, scene=cancelled) for one in asked if one.at == ASKED]
