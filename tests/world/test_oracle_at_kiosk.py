"""The same at a kiosk: what is said, what is shown, what never ends."""

from pathlib import Path
from typing import Any

from sync.central.tables import AUTHORISATION
from tests.world.disks import WorldVfs
from tests.world.reference import Stay
from tests.world.rest import searched
from tests.world.test_oracle import LONG_S, PHONE, Eyes, played
from tests.world.times import pause


def test_secrets_are_found_wherever_they_stand(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        seed = (eyes.machine.folder / "keys" / "own.json").read_text().split('"')[-2]
        for said in (f"call {PHONE}", f"{eyes.typed[:3]}-{eyes.typed[3:7]}-{eyes.typed[7:]}", f"key={seed}"):
            assert [n for n, _ in searched(eyes.world, [said.encode()], [], set())] == [18], said
        assert [n for n, _ in searched(eyes.world, [], [f"typed {eyes.typed}"], set())] == [18]
        assert [n for n, _ in searched(eyes.world, [b'{"pin":"246810"}'], [], {"246810"})] == [18]
        assert list(searched(eyes.world, eyes.oracle.traffic.said, eyes.oracle.log.lines, {"246810"})) == []
        eyes.watched.ears._seen({"screen": "home", "title": "张*", "lead": "", "said": "", "facts": []})
        assert eyes.numbers() == {18}
        # Of a right that a hub has only heard of at its locker it has nothing sealed.
        assert eyes.world.centre.store is not None
        eyes.world.centre.store.write_now(lambda c: c.execute(AUTHORISATION.update().values(sealed="")))
        assert [n for n, _ in searched(eyes.world, [PHONE.encode()], [], set())] == [18]

    played(vfs, tmp_path, story)


def test_a_scan_is_decided_when_its_door_is_granted(vfs: WorldVfs, tmp_path: Path) -> None:
    """On a noisy line the pulse, and so the screen, may come later than that."""

    async def story(eyes: Eyes) -> None:
        ears = eyes.watched.ears
        granted = [eyes.fact("OpeningRequested", deposit="")._replace(cause="staff/helper-1")]

        async def answers(*_asked: object) -> Any:
            await pause(1.0)
            for fact in granted:
                assert list(ears.told(fact, now=True)) == []
            await pause(2.5)
            return await eyes.machine.screen.view()

        await ears._heard(answers, "POST", "/", {"scanned": "1" * 40})
        assert eyes.numbers() == set()
        granted.clear()
        await ears._heard(answers, "POST", "/", {"scanned": "1" * 40})
        assert eyes.numbers() == {22}

    played(vfs, tmp_path, story)


def test_what_a_kiosk_says_is_heard(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        ears, screen = eyes.watched.ears, eyes.machine.screen
        wrong = {"refused": {"reason": "code_not_accepted"}}
        typed, before = {"typed": eyes.typed}, ears.failed.copy()
        assert [n for n, _ in ears._uncounted(typed, wrong, before, frozen=False)] == [21]
        assert list(ears._uncounted(typed, wrong, before, frozen=True)) == []
        ears.failed.update([f"CodeFailed {ears.locators[eyes.typed[:3]]}"])
        assert list(ears._uncounted(typed, wrong, before, frozen=False)) == []
        phone = {"refused": {"reason": "phone_wrong"}}
        assert [n for n, _ in ears._uncounted({"act": "phone4"}, phone, ears.failed, frozen=False)] == [21]
        assert [n for n, _ in ears._late({"scanned": "1"}, {}, 2.5)] == [22]
        assert [
            n for n, _ in ears._late({"scanned": "1"}, {"refused": {"reason": "too_many_tries"}}, 0.1)
        ] == [22]
        guesses = eyes.fact("GuessesCounted")._replace(data={"kind": "unknown_code", "count": 3})
        assert list(ears.told(guesses, now=True)) == []
        assert [n for n, _ in ears.told(guesses, now=True)] == [21]
        await screen.typed("000 0000 0000")
        ears._seen({"screen": "receipt", "receipt": {"number": "nobody's"}})
        assert eyes.numbers() == {13}
        ears.shown.clear()
        deposit = eyes.watched.custody.model.doors[eyes.door].deposit
        asked = eyes.fact("OpeningRequested", door=eyes.door, purpose="reopen", deposit=deposit)
        assert [n for n, _ in ears.told(asked._replace(cause="applicant"), now=True)] == [9]
        token = eyes.fact("TokenAdmitted", authorisation="nobody's")
        assert [n for n, _ in ears.told(token, now=True)] == [9]
        assert eyes.machine.built is not None
        eyes.machine.built.journal.failing = True
        ears._seen({"screen": "home", "title": "", "lead": "", "said": "", "facts": []})
        assert eyes.numbers() == {16}

    played(vfs, tmp_path, story)


def test_what_never_ends_is_found(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        live, model, past = eyes.watched.liveness, eyes.watched.custody.model, eyes.watched.past
        assert list(live.look(past)) == []
        model.stays["kept"] = Stay("submission", eyes.door % 16 + 1, "C-2", "", "")
        right = model.latest(eyes.door)
        assert right is not None
        right.phase = "left_open"
        list(live.look(past))
        live.since = {name: since_s - LONG_S for name, since_s in live.since.items()}
        assert [number for number, _ in live.look(past)] == [24, 24]
        del model.stays["kept"]
        right.phase = "requested"
        live._unpulsed(right_grant(eyes), eyes.machine.life, eyes.world.loop.time())
        assert eyes.numbers() == {23}
        right.phase, right.opened = "acknowledged", False
        live._no_next_step(right_grant(eyes), eyes.machine.life, eyes.world.loop.time())
        assert eyes.numbers() == {23}
        live.ended(ValueError("by itself"))
        assert eyes.numbers() == {25}
        eyes.machine.screen.app = None
        list(live.look(past))
        live.since["dark"] -= LONG_S
        assert 25 in {number for number, _ in live.look(past)}

    played(vfs, tmp_path, story)


def right_grant(eyes: Eyes) -> str:
    return eyes.watched.custody.model.doors[eyes.door].grant


def test_a_page_that_nobody_leaves_is_found(vfs: WorldVfs, tmp_path: Path) -> None:
    async def story(eyes: Eyes) -> None:
        await eyes.machine.screen.typed(eyes.typed)
        assert eyes.machine.built is not None
        eyes.machine.built.kiosk.state.kiosk._cancel_alarm()
        await pause(200.0)
        assert eyes.numbers() == {24}

    played(vfs, tmp_path, story)
