"""Seeds from text and Markdown files: a folder, a single file, or a zip archive of them.

The text is kept verbatim, because methods that work backwards from a document hand it on as
the answer: a part is always an unbroken span of its file. Long documents are cut where their
author put a blank line or a heading, never inside a paragraph or a fenced block. Nothing is
guessed about encodings: a file that is not UTF-8 is named, and the job says what it is.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field, field_validator, model_validator

from engine.core import JobError, Json, Record
from engine.fields import Provenance, Tag, tag
from engine.kit import InputPath, Source, Well
from engine.text.clean import clean
from engine.text.spans import Part, Split, heading, parts

File = tuple[str, bytes]
"""Path below the folder or inside the archive, with ``/``; and what the file holds."""


class Params(Provenance):
    """Where the documents are, which language they are in, and how they are cut."""

    path: InputPath
    """A folder (read with its sub-folders), a file, or a zip archive."""
    glob: list[str] = Field(default_factory=lambda: ["*.txt", "*.md"], min_length=1)
    """Which files: a pattern for the name, or with ``/`` for the path, e.g. ``de/*.md``."""
    exclude: list[str] = Field(default_factory=list)
    """Which of them not, in the same way."""
    language: Tag = ""
    """BCP-47 tag of every document; needed where ``language_from`` is ``fixed``."""
    language_from: Literal["fixed", "folder", "stem"] = "fixed"
    """``folder``: the first folder below ``path`` is the tag; ``stem``: the file's name is."""
    languages: dict[str, Tag] = Field(default_factory=dict)
    """Tags of folders or stems whose names are none, e.g. ``{german: de}``."""
    otherwise: Tag = ""
    """Tag of what is left without one, e.g. ``und``; empty: such a file is an error."""
    encoding: str = "utf-8"
    """Encoding of the files, as Python names it."""
    encodings: dict[str, str] = Field(default_factory=dict)
    """Encodings of single files, by pattern, e.g. ``{"*-old.txt": cp1252}``."""
    split: Split = "none"
    """``paragraphs``: pack whole paragraphs; ``sections``: also begin anew at each heading."""
    min_characters: int = Field(default=200, ge=1)
    """A part is grown to at least this many characters where the document has them."""
    max_characters: int = Field(default=4000, ge=1)
    """A part is not grown beyond this; only a single longer paragraph exceeds it."""

    @field_validator("encoding", "encodings")
    @classmethod
    def _known(cls, named: str | dict[str, str]) -> str | dict[str, str]:
        for name in [named] if isinstance(named, str) else named.values():
            try:
                b"    ".decode(name, "replace")
            except LookupError as error:
                raise ValueError(f"{name!r} is no encoding that Python knows") from error
        return named

    @model_validator(mode="after")
    def _agree(self) -> Params:
        if bool(self.language) != (self.language_from == "fixed"):
            raise ValueError("give language (e.g. de), or language_from: folder or stem")
        if self.min_characters > self.max_characters:
            raise ValueError("min_characters is above max_characters")
        return self


def read(well: Well[Params]) -> Iterator[Record]:
    """The documents in the order of their paths, each in one or several parts.

    A file with nothing but white space holds no document and yields nothing.
    """
    params, found = well.params, False
    for name, text, language in texts(params):
        found = True
        markdown = not name.endswith(".txt")
        title = (markdown and heading(text)) or PurePosixPath(name).stem
        cut = parts(text, params.split, params.min_characters, params.max_characters, markdown)
        for index, part in enumerate(cut):
            document = text[part.start : part.end]
            facts: dict[str, Json] = {"document": document, "title": clean(title)}
            facts |= {"path": clean(name)} | _particulars(part, index, params)
            facts |= params.facts(well.name)
            yield Record(well.id(name, index, document), language, (), facts)
    if not found:
        raise JobError(f"{params.path}: no file matches {', '.join(params.glob)}")


def texts(params: Params) -> Iterator[tuple[str, str, str]]:
    """Path, whole text and language of every file, in the order of the paths."""
    for name, raw in _files(params):
        yield name, _decoded(name, raw, params), _language(name, params)


def _particulars(part: Part, index: int, params: Params) -> dict[str, Json]:
    if params.split == "none":
        return {}
    return {"part": index, "section": part.section, "span": [part.start, part.end]}


def _files(params: Params) -> Iterator[File]:
    try:
        if params.path.is_dir():
            yield from _in_folder(params.path, params)
        elif zipfile.is_zipfile(params.path):
            yield from _in_archive(params.path, params)
        else:
            yield params.path.name, params.path.read_bytes()
    except OSError as error:
        raise JobError(f"{error.filename or params.path}: cannot be read: {error}") from error
    # RuntimeError and NotImplementedError are zipfile's: encrypted, or packed in an unknown way
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise JobError(f"{params.path}: damaged or locked archive: {error}") from error


def _in_folder(folder: Path, params: Params) -> Iterator[File]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted(paths):
        if _wanted(name, params) and paths[name].is_file():
            yield name, paths[name].read_bytes()


def _in_archive(path: Path, params: Params) -> Iterator[File]:
    with zipfile.ZipFile(path) as archive:
        files = {i.filename for i in archive.infolist() if not i.is_dir() and _seen(i.filename)}
        tops = {name.split("/", 1)[0] if "/" in name else "" for name in files}
        shared = f"{tops.pop()}/" if len(tops) == 1 and "" not in tops else ""
        for name in sorted(name.removeprefix(shared) for name in files):
            if _wanted(name, params):
                yield name, archive.read(shared + name)


def _wanted(name: str, params: Params) -> bool:
    return _seen(name) and _matches(name, params.glob) and not _matches(name, params.exclude)


def _seen(name: str) -> bool:
    """Not hidden, and not what macOS puts into archives for itself."""
    return not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _matches(name: str, patterns: list[str]) -> bool:
    last = name.rsplit("/", 1)[-1]
    return any(fnmatchcase(name if "/" in each else last, each) for each in patterns)


def _decoded(name: str, raw: bytes, params: Params) -> str:
    own = (each for at, each in params.encodings.items() if _matches(name, [at]))
    encoding = next(own, params.encoding)
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise JobError(
            f"{params.path}: {name} is not {encoding}: byte 0x{raw[error.start]:02x} at "
            f"{error.start}; name its encoding under encodings, or list it under exclude"
        ) from error


def _language(name: str, params: Params) -> str:
    if params.language:
        return params.language
    path = PurePosixPath(name)
    label = path.stem if params.language_from == "stem" else path.parts[0]
    if len(path.parts) == 1 and params.language_from == "folder":
        label = ""  # it lies directly under ``path``
    language = params.languages.get(label) or _named(label) or params.otherwise
    if not language:
        raise JobError(
            f"{params.path}: {name}: no language tag in {label!r}; map it under languages, "
            "or set otherwise, e.g. to und"
        )
    return language


def _named(label: str) -> str:
    """The tag a name begins with: language, script, region; what else it says is left out."""
    from babel import Locale

    first, *more = label.replace("_", "-").replace(".", "-").split("-")
    places, scripts = Locale("en").territories, Locale("en").scripts
    said = (part for part in more if part.title() in scripts or part.upper() in places)
    try:
        return tag("-".join([first, *said]))
    except ValueError:
        return ""


SOURCE = Source(read, Params)
