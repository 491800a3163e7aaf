"""The files that `screen.prompts` names: read as words, or what is wrong with them."""

import re
from pathlib import Path
from typing import Final

from overnight.study import checks
from overnight.study.models import PromptsSpec
from overnight.study.yaml_nodes import Document, KeyPath, Plain

MOST_BYTES: Final = 200_000
"""Ours: forty times the package's longest. It goes into every request."""
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]")


def prompt_words(document: Document, name: str, written: Plain, folder: Path) -> Plain:
    """The words in place of the file's name. What is no file's name is left as it is, for the model to refuse."""
    path: KeyPath = ("screen", "prompts", name)
    if name not in PromptsSpec.model_fields or not isinstance(written, str):
        return written
    if not written.strip():
        document.add(f"`{name}` names no file", path, "Name the file, or take the key out: then it is the package's.")
        return ""
    file = checks.absolute(folder, written)
    if not checks.check_file(document, file, written, path):
        return ""
    words, wrong, hint = _read(file)
    if wrong:
        document.add(f"{written} {wrong}", path, hint)
    return words


def _read(file: Path) -> tuple[str, str, str]:
    """Its words, else what is wrong and what to do."""
    try:
        size_bytes = file.stat().st_size
        if size_bytes > MOST_BYTES:
            return "", f"holds {size_bytes:,} bytes, too many for a prompt (at most {MOST_BYTES:,})", _WRITE_ONE
        data = file.read_bytes()
    except OSError as cause:
        return "", f"cannot be read: {cause.strerror or cause}", "A prompt is a text file."
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        return "", f"is not UTF-8: byte 0x{data[cause.start]:02x} in line {line}", "Save it as a text file in UTF-8."
    odd = _NOT_TEXT.search(text)
    if odd:
        return "", f"is no text: it holds U+{ord(odd[0]):04X}", _WRITE_ONE
    if not text.strip():
        return "", "is empty", "Write the prompt in it, or take the key out: then it is the package's."
    return text.strip(), "", ""


_WRITE_ONE: Final = "`overnight prompts --to FOLDER` writes the package's, to begin with."
