# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The two charts over the history as plain SVG shapes: made here, drawn by templates/charts.html.

No script and no style attribute is needed, so they hold under our Content-Security-Policy; each
outcome has a pattern of its own beside its colour, and each chart has its numbers as a table.
"""

import statistics as sums
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.message import Message, counted, duration, joined
from app.restore.model import RunState
from app.store.run_rows import RunFilter
from app.store.statistics import Statistics
from app.web.frame.presentation import capital

GROUPS = {
    "done": Message("ready or completed"),
    "active": Message("under way"),
    "attention": Message("needs a person"),
    "rest": Message("not started, or cancelled"),
    "bad": Message("failed"),
}
GROUP_OF = {
    RunState.READY: "done",
    RunState.CLEANING_UP: "done",
    RunState.COMPLETED: "done",
    RunState.QUEUED: "active",
    RunState.STARTING: "active",
    RunState.RESTORING: "active",
    RunState.AWAITING_APPROVAL: "attention",
    RunState.NEEDS_DECISION: "attention",
    RunState.CANCELLED: "rest",
    RunState.OBSERVED: "rest",
    RunState.FAILED: "bad",
}
_PERIOD_NAMES = {"day": Message("Day"), "month": Message("Month"), "year": Message("Year")}
_PERIOD = {"day": Message("day"), "month": Message("month"), "year": Message("year")}
_READY_COLUMNS = (
    Message("Runs"),
    Message("Median"),
    Message("Fastest"),
    Message("Slowest"),
)

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 8, 18, 30
_PLOT_W, _PLOT_H = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_DEFAULT_DAYS, _MOST_BARS, _LABELS = 30, 62, 8
_TIME_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800)


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on an axis, and where."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Layer:
    """All bars of one outcome as one SVG path."""

    group: str
    path: str
    runs: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A period's median, with a line from its fastest to its slowest."""

    x: float
    y: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: shapes, axes, what it says in words, and the same as a table."""

    name: str
    title: str
    text: str
    x_axis: str
    y_axis: str
    x_marks: Sequence[Mark]
    y_marks: Sequence[Mark]
    layers: Sequence[Layer]
    spots: Sequence[Spot]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""


def make_charts(statistics: Statistics, chosen: RunFilter, now: datetime) -> tuple[Chart, Chart]:
    """Runs per period by outcome, and the time to ready, of the runs that match ``chosen``.

    Without a time in the filter: of the last 30 days.
    """
    start, end = _range(statistics, chosen, now)
    window = replace(chosen, from_=start, to=end)
    period = _period(start, end)
    periods = list(_periods(start, end, period))
    place = {name: number for number, name in enumerate(periods)}
    counts: list[Counter[str]] = [Counter() for _ in periods]
    ready = 0
    for one in statistics.by_period(window, period):
        if one.period in place:  # a clock that stepped can't have put it elsewhere
            counts[place[one.period]][GROUP_OF[one.state]] += one.runs
            ready += one.ready
    times = statistics.ready_times(window, period, ready=ready) if ready else None
    remark = _sampled(times.every) if times else ""
    lists = [(times.times.get(name, []) if times else []) for name in periods]
    return _runs_chart(periods, counts, period), _ready_chart(periods, lists, period, remark=remark)


def _range(statistics: Statistics, chosen: RunFilter, now: datetime) -> tuple[datetime, datetime]:
    """From when to when: as the filter says, cut to where there are runs at all."""
    span = statistics.span() or (now, now)
    end = min(chosen.to or now, max(span[1], now)) + timedelta(milliseconds=0 if chosen.to else 1)
    if chosen.from_ is None:
        start = end - timedelta(days=_DEFAULT_DAYS)
        if chosen.to is None:
            start += timedelta(days=1)
        return start.replace(hour=0, minute=0, second=0, microsecond=0), end
    return min(max(chosen.from_, span[0]), end), end


def _period(start: datetime, end: datetime) -> str:
    days = (end - start).days
    return "day" if days <= _MOST_BARS else "month" if days <= _MOST_BARS * 30 else "year"


def _periods(start: datetime, end: datetime, period: str) -> Iterator[str]:
    if period == "year":
        yield from (f"{year:04}" for year in range(start.year, end.year + 1))
    elif period == "month":
        first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
        yield from (f"{at // 12:04}-{at % 12 + 1:02}" for at in range(first, last + 1))
    else:
        last_day = (end - timedelta(microseconds=1)).date() if end > start else end.date()
        yield from (
            (start.date() + timedelta(days=number)).isoformat()
            for number in range((last_day - start.date()).days + 1)
        )


def _runs_chart(periods: list[str], counts: Sequence[Counter[str]], period: str) -> Chart:
    largest = max((sum(one.values()) for one in counts), default=0)
    step = _nice(largest)
    top = max(step, -(-largest // step) * step)
    slot = _PLOT_W / max(len(periods), 1)
    paths: dict[str, list[str]] = {group: [] for group in GROUPS}
    for number, one in enumerate(counts):
        base = 0
        for group in GROUPS:
            if one[group]:
                x, wide = _LEFT + slot * (number + 0.15), slot * 0.7
                y, high = _height(base + one[group], top), _PLOT_H * one[group] / top
                paths[group].append(f"M{x:.1f} {y:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z")
                base += one[group]
    totals = {group: sum(one[group] for one in counts) for group in GROUPS}
    runs = sum(totals.values())
    parts = [
        Message("{number} {what}", number=f"{totals[group]:,}", what=GROUPS[group])
        for group in totals
    ]
    text = Message(
        "{runs} from {first} to {last}, in UTC: {parts}.",
        runs=counted("{n} run", "{n} runs", n=runs),
        first=periods[0],
        last=periods[-1],
        parts=joined(parts, ", "),
    )
    return Chart(
        name="runs",
        title=Message("Runs per {period} by outcome", period=_PERIOD[period]),
        text=text if runs else Message("No run in this time."),
        x_axis=Message("{period} (UTC)", period=_PERIOD_NAMES[period]),
        y_axis=Message("Runs"),
        x_marks=_x_marks(periods, slot),
        y_marks=[Mark(_height(at, top), f"{at:,}") for at in range(0, top + 1, step)],
        layers=[Layer(group, "".join(paths[group]), totals[group]) for group in GROUPS],
        spots=(),
        head=[
            _PERIOD_NAMES[period],
            Message("Runs"),
            *(capital(words) for words in GROUPS.values()),
        ],
        rows=[
            [name, str(sum(one.values())), *(str(one[group]) for group in GROUPS)]
            for name, one in zip(periods, counts, strict=True)
            if one
        ],
    )


def _ready_chart(
    periods: list[str], times: Sequence[list[int]], period: str, *, remark: str
) -> Chart:
    everything = [one for each in times for one in each]
    largest = max(everything, default=0)
    step = next((one for one in _TIME_STEPS if largest <= one * 5), 0) or _nice(largest)
    top = max(step, -(-largest // step) * step)
    slot = _PLOT_W / max(len(periods), 1)
    spots, rows = [], []
    for number, (name, each) in enumerate(zip(periods, times, strict=True)):
        if each:
            middle = sums.median(each)
            low, high = _height(each[0], top), _height(each[-1], top)
            spots.append(Spot(_LEFT + slot * (number + 0.5), _height(middle, top), high, low))
            words = [duration(one) for one in (middle, each[0], each[-1])]
            rows.append([name, f"{len(each):,}", *words])
    text = Message("No copy came up in this time.")
    if everything:
        runs, median = (
            counted("{n} run", "{n} runs", n=len(everything)),
            duration(sums.median(everything)),
        )
        text = Message(
            "For each {period} the median as a dot, and a line from the fastest to the"
            " slowest: {runs}, median of all {median}.",
            period=_PERIOD[period],
            runs=runs,
            median=median,
        )
    return Chart(
        name="ready",
        title=Message("Time from receipt to ready"),
        text=text,
        x_axis=Message("{period} (UTC)", period=_PERIOD_NAMES[period]),
        y_axis=Message("From receipt to ready"),
        x_marks=_x_marks(periods, slot),
        y_marks=[Mark(_height(at, top), duration(at)) for at in range(0, top + 1, step)],
        layers=(),
        spots=spots,
        head=[_PERIOD_NAMES[period], *_READY_COLUMNS],
        rows=rows,
        remark=remark,
    )


def _height(value: float, top: int) -> float:
    return round(_TOP + _PLOT_H * (1 - value / top), 1)


def _x_marks(periods: list[str], slot: float) -> list[Mark]:
    step = -(-len(periods) // _LABELS)
    return [
        Mark(round(_LEFT + slot * (number + 0.5), 1), name[5:] if len(name) == 10 else name)
        for number, name in enumerate(periods)
        if number % step == 0
    ]


def _nice(largest: int) -> int:
    """A round step that leads to ``largest`` in five at most."""
    step = 1
    while step * 5 < largest:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _sampled(every: int) -> Message | str:
    """Of very many runs not each is looked at."""
    if every == 1:
        return ""
    return Message("There are so many that every {every}th run was taken.", every=every)
