"""prompts: the package's instructions to a model, which of them a study asks with, and copies to edit."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from overnight.cli.arguments import add_command, add_json
from overnight.cli.output import answer
from overnight.errors import UsageError

if TYPE_CHECKING:
    from overnight.planning.instructions import Instruction, Piece
    from overnight.study.models import Study

_IS: Final = {
    "screen": "what each sample is told; may be replaced",
    "adjudicate": "what the adjudicator is told; may be replaced",
    "framing_for": "added to a sample with framing `for`",
    "framing_against": "added to a sample with framing `against`",
    "untrusted": "added behind each of them, your own too",
}
REPLACEABLE: Final[tuple[Literal["screen", "adjudicate"], ...]] = ("screen", "adjudicate")
"""Keys of `screen.prompts` in a study."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    prompts = add_command(
        commands, "prompts", "the instructions to the model: digests, whose they are, copies", _prompts
    )
    prompts.add_argument(
        "study", nargs="?", type=Path, help="a study: which of them it asks with (default: study.yaml)"
    )
    prompts.add_argument("--to", type=Path, metavar="FOLDER", help="write those that a study may replace into FOLDER")
    prompts.add_argument("--text", action="store_true", help="also print them whole")
    add_json(prompts)


def _prompts(arguments: argparse.Namespace) -> int:
    """With --to the study is not read: it may name the files that are about to be written."""
    if arguments.to is not None:
        return _copy(arguments.to, as_json=arguments.json)
    found: tuple[Study, list[Instruction]] | None = None
    if arguments.study is not None or Path("study.yaml").is_file():
        from overnight.wiring.prompts import study_instructions

        found = study_instructions(arguments.study or Path("study.yaml"))
    if arguments.json:
        answer(json.dumps(_json(found), ensure_ascii=False), whole=True)
        return 0
    for line in _package_lines(text=arguments.text):
        answer(line, whole=True)
    if found is not None:
        for line in _study_lines(*found, text=arguments.text):
            answer(line, whole=True)
    answer("Next: `overnight prompts --to FOLDER` writes copies to edit, for `screen.prompts` in the study.")
    return 0


def _copy(folder: Path, *, as_json: bool) -> int:
    from overnight.core.atomic import replace_bytes
    from overnight.study.wording import wording

    targets = {name: folder / f"{name}.txt" for name in REPLACEABLE}
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="Name a folder; it is made if it is not there.")
    there = [target for target in targets.values() if target.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already", hint="Name another folder: nothing is written over.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        replace_bytes(target, f"{wording(name).text}\n".encode())
    if as_json:
        answer(json.dumps({"written": [str(target) for target in targets.values()]}, ensure_ascii=False), whole=True)
        return 0
    for name, target in targets.items():
        answer(f"{target} is written: {_IS[name].split(';')[0]}")
    answer("Edit what you like, then name it under `screen` in the study, as seen from there:")
    answer(f"  prompts: {{screen: {targets['screen'].as_posix()}}}")
    return 0


def _package_lines(*, text: bool) -> Iterator[str]:
    from overnight.planning.instructions import SHOWN_DIGITS
    from overnight.study.wording import NAMES, wording

    yield "The package's prompts:"
    for name in NAMES:
        one = wording(name)
        yield f"  {name:<15}  {one.digest[:SHOWN_DIGITS]}  {len(one.text):>5,} characters  {_IS[name]}"
    if text:
        for name in NAMES:
            yield f"\n--- {name} {wording(name).digest[:SHOWN_DIGITS]}\n{wording(name).text}"
        yield ""


def _study_lines(study: "Study", found: "Sequence[Instruction]", *, text: bool) -> Iterator[str]:
    yield f"{study.name} asks with:"
    for one in found:
        yield f"  {one.stage:<15}  {pieces_words(one.pieces) or 'no instruction'}"
    if any(piece.whose == "before" for one in found for piece in one.pieces):
        yield "  A study keeps the words it began with. `overnight plan --new-recipe` prices this version's."
    if text:
        for one in found:
            yield f"\n--- {study.name}: {one.stage}\n{one.system}"
        yield ""


def pieces_words(pieces: "Sequence[Piece]") -> str:
    return " + ".join(_piece_words(piece) for piece in pieces)


def _piece_words(piece: "Piece") -> str:
    whose = {"package": "", "study": " (the study's own)", "before": " (the study began with it)"}[piece.whose]
    return f"{piece.name} {piece.short}{whose}"


def instruction_lines(found: "Sequence[Instruction]") -> Iterator[str]:
    """For `plan --show`: what each stage is told, whole, and the message with placeholders, planned yet or not."""
    for one in found:
        if one.system:
            yield f"\n--- stage {one.stage}, system instruction: {pieces_words(one.pieces)}"
            yield one.system
        yield f"\n--- stage {one.stage}, message:"
        yield one.message


def _json(found: "tuple[Study, list[Instruction]] | None") -> dict[str, Any]:
    """package: digests by name. study: by stage the pieces of each instruction, null without a study."""
    from overnight.study.wording import NAMES, wording

    return {
        "package": {name: wording(name).digest for name in NAMES},
        "study": None if found is None else [_instruction_json(one) for one in found[1]],
    }


def _instruction_json(one: "Instruction") -> dict[str, Any]:
    pieces = [{"name": piece.name, "whose": piece.whose, "digest": piece.digest} for piece in one.pieces]
    return {"stage": one.stage, "pieces": pieces}
