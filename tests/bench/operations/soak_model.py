"""Lives of a locker that nobody has seen yet, each judged against the reference model of the test run."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bench.figures import Sheet
from tests.locker.operations.test_model import Life

LIVES = 1_500
STEPS = 60


def test_unseen_lives_agree_with_the_model(sheet: Sheet, times: int) -> None:
    many = settings(
        max_examples=LIVES * times,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=False,
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Life, settings=many)
    sheet.tells(
        "lives that agree with the reference model", LIVES * times, "", f"{STEPS} steps each, unseeded"
    )
