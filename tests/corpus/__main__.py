"""`python -m tests.corpus [PEOPLE] [SEED]`: simulate people and gateways; who was counted, who was held."""

from __future__ import annotations

import sys

from tests.corpus import pure
from tests.corpus.simulation import PEOPLE, SEED, lives
from tests.corpus.tally import HELD_AT_MOST, Tally, table, tally
from tests.corpus.traces import machines, people


def main(arguments: list[str]) -> int:
    """Print the tables; 1 when a figure is missed."""
    many = int(arguments[0]) if arguments else PEOPLE
    made = tally(lives(many, arguments[1] if len(arguments) > 1 else SEED))
    traces = [*machines(), *people()]
    missed = [trace.name for trace in traces if pure.end(trace).ends != trace.ends]
    print(f"Traces: {len(machines())} of machines, {len(people())} of people; {len(missed)} judged otherwise")
    print(f"\n{table(made)}\n")
    print(f"Held by mistake: {made.held:.2%} of {many:,} (at most {HELD_AT_MOST:.1%}). ", end="")
    print(f"Machine answers counted: {made.machines['counted']}.")
    return 0 if not missed and _kept(made) else 1


def _kept(made: Tally) -> bool:
    return made.held <= HELD_AT_MOST and not made.machines["counted"] and not made.total["dropped"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
