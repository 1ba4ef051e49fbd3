#!/usr/bin/env python3
"""Compares the report's statistics with NumPy and SciPy on random inputs: compare_with_scipy.py STATISTICS_LINES.

Each case is drawn from a fixed seed, answered by the program and by an implementation that shares no code with it.
The bootstrap's resamples are drawn here again by the rule that docs/method.md gives, so that its figures are compared
exactly and not by chance.

Exit codes: 0 all agree, 1 some do not, 77 NumPy or SciPy is not there (a visible skip; where CI is set, which installs
them, it is a failure).
"""
# SPDX-License-Identifier: Apache-2.0

import json
import math
import os
import subprocess
import sys

try:
    import numpy
    import scipy
    from scipy import stats
except ImportError as missing:
    print(f"SKIPPED: {missing}; scripts/setup test installs NumPy and SciPy into .cache/venv")
    sys.exit(1 if os.environ.get("CI") else 77)

CASES = 300  # Of each kind.
MASK = (1 << 64) - 1


class SplitMix64:
    """Steele, Lea, Flood 2014, with Lemire's bounded integers (2019)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        value = self.state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        return value ^ (value >> 31)

    def below(self, bound):
        while True:
            product = self.next() * bound
            if (product & MASK) >= ((1 << 64) - bound) % bound:
                return product >> 64


def t_interval(values, u):
    """Half of Student's interval from SciPy, joined with the systematic part; no interval for one value."""
    values = numpy.asarray(values)
    if len(values) < 2:
        return values.mean(), 0.0, None
    spread = stats.sem(values)
    low, high = (values.mean(),) * 2 if spread == 0 else stats.t.interval(0.95, len(values) - 1, values.mean(), spread)
    half = (high - low) / 2
    return values.mean(), half, math.hypot(half, 1.96 * u)


def estimate_answer(case):
    middle, half, whole = t_interval(case["values"], case["u"])
    answer = {"mean": middle, "statistical": half, "n": len(case["values"])}
    if whole is not None:
        answer.update(low=middle - whole, high=middle + whole)
    return answer


def ratio_answer(case):
    _, half, whole = t_interval(numpy.log(case["values"]), case["u"])
    middle = stats.gmean(case["values"])
    answer = {"mean": middle, "statistical": half, "n": len(case["values"])}
    if whole is not None:
        answer.update(low=middle * math.exp(-whole), high=middle * math.exp(whole))
    return answer


def welch_answer(case):
    first, second = case["first"], case["second"]
    interval = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    middle = numpy.mean(second) - numpy.mean(first)
    half = (interval.high - interval.low) / 2
    whole = math.hypot(half, 1.96 * math.hypot(case["u1"], case["u2"]))
    return {"mean": middle, "statistical": half, "n": min(len(first), len(second)), "low": middle - whole,
            "high": middle + whole}


def line_answer(case):
    """The line from SciPy, the uncertainties by moving each point by its own."""
    def figures(y):
        line = stats.linregress(case["x"], y)
        return numpy.array([line.slope, line.intercept + line.slope * case["x0"]])
    middle = figures(case["y"])
    moved = [figures(numpy.asarray(case["y"]) + u * numpy.eye(len(case["y"]))[i]) - middle
             for i, u in enumerate(case["u"])]
    errors = numpy.sqrt(numpy.sum(numpy.square(moved), axis=0))
    return {"slope": {"value": middle[0], "uncertainty": errors[0]},
            "at": {"value": middle[1], "uncertainty": errors[1]}}


def eta_answer(case):
    """Eta by its definition, its uncertainty by moving both sizes, each a millionth part of its own uncertainty."""
    def eta(original, graded):
        r = (graded / case["graded"]["L"]) / (original / case["original"]["L"])
        d0 = 1 - case["original"]["U"] / case["original"]["L"]
        dg = 1 - case["graded"]["U"] / case["graded"]["L"]
        return (1 - r) / (dg - r * d0)
    b0, bg = case["original"]["B"], case["graded"]["B"]
    u0, ug = case["original"]["u"], case["graded"]["u"]
    step = 1e-4
    by_original = (eta(b0 + step * u0, bg) - eta(b0 - step * u0, bg)) / (2 * step)
    by_graded = (eta(b0, bg + step * ug) - eta(b0, bg - step * ug)) / (2 * step)
    return {"eta": eta(b0, bg), "uncertainty": math.hypot(by_original, by_graded)}


def bootstrap_answer(case):
    random = SplitMix64(case["seed"])
    values = numpy.array(case["values"])
    drawn = [[random.below(len(values)) for _ in values] for _ in range(2000)]
    medians = numpy.median(values[numpy.array(drawn)], axis=1)
    low, high = numpy.percentile(medians, [2.5, 97.5])
    return {"median": numpy.median(values), "low": low, "high": high, "resamples": 2000}


def cliff_answer(case):
    """By Mann and Whitney's U, ties counted half: delta = 2 U / (n m) - 1."""
    u = stats.mannwhitneyu(case["second"], case["first"]).statistic
    return 2 * u / (len(case["first"]) * len(case["second"])) - 1


def needed_answer(case):
    count = 1
    while case["q"] > 0.5 and stats.binom.pmf(count, count, case["q"]) > 0.05:
        count += 1
    return count


ANSWERS = {
    "t": lambda case: stats.t.ppf(0.975, case["degrees"]),
    "estimate": estimate_answer, "ratio": ratio_answer, "welch": welch_answer, "line": line_answer,
    "eta": eta_answer, "bootstrap": bootstrap_answer, "cliff": cliff_answer, "needed": needed_answer,
}
# The t quantile is good to 1e-8; a difference quotient to 1e-6.
TOLERANCE = {"eta": 2e-5, "cliff": 1e-12, "bootstrap": 1e-12}


def sample(rng, least, most):
    """Values of any size and spread; every fifth sample has equal ones."""
    count = int(rng.integers(least, most + 1))
    scale = 10 ** rng.uniform(-3, 9)
    values = scale * (rng.uniform(-1, 1) + rng.uniform(0, 1) * rng.standard_normal(count))
    return [float(values[0])] * count if rng.integers(5) == 0 else [float(value) for value in values]


def pair_case(rng):
    logical = [int(rng.integers(10**6, 10**12)) for _ in range(2)]
    shares = [rng.uniform(0.9, 1), rng.uniform(0.01, 0.8)]
    sides = []
    for size, share in zip(logical, shares):
        stored = int(size * rng.uniform(0.2, 1.5)) + 1
        sides.append({"L": size, "U": max(1, int(size * share)), "B": stored, "u": stored * rng.uniform(1e-4, 0.05)})
    return {"what": "eta", "original": sides[0], "graded": sides[1]}


def cases():
    rng = numpy.random.default_rng(20261126)
    for degrees in range(1, 41):
        yield {"what": "t", "degrees": degrees}
    for q in (0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999):
        yield {"what": "needed", "q": q}
    for _ in range(CASES):
        yield {"what": "t", "degrees": float(10 ** rng.uniform(0, 5))}
        values = sample(rng, 1, 30)
        yield {"what": "estimate", "values": values, "u": float(abs(values[0]) * rng.uniform(0, 0.5))}
        ratios = [float(value) for value in numpy.exp(rng.uniform(-2, 3) + rng.standard_normal(rng.integers(1, 30)))]
        yield {"what": "ratio", "values": ratios, "u": float(rng.uniform(0, 0.2))}
        first = [float(value) for value in rng.normal(rng.uniform(-5, 5), rng.uniform(0.1, 3), rng.integers(2, 12))]
        second = [float(value) for value in rng.normal(rng.uniform(-5, 5), rng.uniform(0.1, 3), rng.integers(2, 12))]
        yield {"what": "welch", "first": first, "second": second, "u1": float(rng.uniform(0, 1)),
               "u2": float(rng.uniform(0, 1))}
        x = [float(value) for value in rng.choice(1000, size=rng.integers(2, 7), replace=False)]
        yield {"what": "line", "x": x, "y": [float(value) for value in rng.normal(1e6, 1e5, len(x))],
               "u": [float(value) for value in rng.uniform(0, 1e4, len(x))], "x0": float(rng.uniform(-100, 1100))}
        case = pair_case(rng)
        if "error" not in case:
            yield case
        rounded = [float(value) for value in numpy.round(rng.normal(100, 20, rng.integers(1, 15)))]
        yield {"what": "cliff", "first": first, "second": second}
        yield {"what": "cliff", "first": rounded, "second": rounded[:3] + [90.0, 100.0]}
    for _ in range(20):
        yield {"what": "bootstrap", "values": [float(v) for v in rng.lognormal(6, 1, rng.integers(10, 31))],
               "seed": int(rng.integers(0, 2**63))}


def differences(want, got, tolerance, path=""):
    """Paths at which two answers differ: a missing key is one too."""
    if isinstance(want, dict):
        if not isinstance(got, dict) or set(want) != set(got):
            yield f"{path or '.'}: {want} and {got}"
            return
        for key in want:
            yield from differences(want[key], got[key], tolerance, f"{path}.{key}")
    elif not math.isclose(float(want), float(got), rel_tol=tolerance, abs_tol=tolerance * 1e-3):
        yield f"{path or '.'}: {want!r} and {got!r}"


def scale_of(case):
    """Interval ends near zero are compared on the scale of their values."""
    values = case.get("values") or case.get("first") or [1.0]
    return max(1e-9, max(abs(value) for value in values))


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[0])
        return 2
    asked = list(cases())
    text = "".join(json.dumps(case) + "\n" for case in asked)
    told = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    if told.returncode != 0 or len(answers) != len(asked):
        print(f"the program answered {len(answers)} of {len(asked)} questions: {told.stderr}")
        return 1
    counts, failed, skipped = {}, 0, 0
    for case, got in zip(asked, answers):
        kind = case["what"]
        # Outside the domain of eta there is nothing to compare; the unit tests look at the refusals.
        if kind == "eta" and "error" in got:
            skipped += 1
            continue
        counts[kind] = counts.get(kind, 0) + 1
        want = ANSWERS[kind](case)
        tolerance = TOLERANCE.get(kind, 1e-7)
        if kind in ("estimate", "welch"):
            scale = scale_of(case)
            want, got = ({key: value / scale if key != "n" else value for key, value in one.items()}
                         for one in (want, got))
            found = [text for key in sorted(set(want) | set(got))
                     if not (key in want and key in got and abs(want[key] - got[key]) <= tolerance)
                     for text in [f"{key}: {want.get(key)} and {got.get(key)}"]]
        else:
            found = list(differences(want, got, tolerance))
        if found:
            failed += 1
            print(f"{kind}: {'; '.join(found)} for {json.dumps(case)[:300]}")
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    print(f"NumPy {numpy.__version__}, SciPy {scipy.__version__}: {listed}; {failed} differ, {skipped} outside eta's domain")
    missing = [kind for kind in ANSWERS if counts.get(kind, 0) < (7 if kind == "needed" else 20)]
    if missing:
        print(f"too few cases of {', '.join(missing)}")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
