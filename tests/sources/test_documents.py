"""Documents are handed on verbatim, in a fixed order, in the language the job says."""

import zipfile

import pytest
from pydantic import ValidationError

from engine.core import JobError
from engine.sources.documents import SOURCE
from tests.conftest import SHARED, needs_shared, read

BREAD = "# Brot backen\n\nMehl und Wasser mischen.\n\nEine Stunde ruhen lassen.\n"


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def seeds(folder, **params):
    return list(read(SOURCE, folder, **{"path": ".", **params}))


def test_a_folder_is_read_in_path_order_with_title_path_and_licence(tmp_path):
    write(tmp_path, {"b.md": BREAD, "a/z.txt": "面包", "notes.html": "<p>", ".hidden.txt": "x"})
    first, second = seeds(tmp_path, language="de", licence="MIT")
    assert first.facts == {
        "document": "面包",
        "title": "z",
        "path": "a/z.txt",
        "source": "source",
        "licence": "MIT",
    }
    assert (second.facts["title"], second.facts["document"]) == ("Brot backen", BREAD.rstrip())
    assert first.messages == () and first.language == "de"


def test_a_single_file_is_a_document(tmp_path):
    write(tmp_path, {"x.text": "مرحبا"})
    (found,) = seeds(tmp_path, path="x.text", language="ar")
    assert (found.facts["document"], found.facts["path"]) == ("مرحبا", "x.text")


def test_patterns_choose_files_by_name_or_by_path(tmp_path):
    write(tmp_path, {"de/a.md": "x", "en/a.md": "y", "en/b.md": "z"})
    found = seeds(tmp_path, glob=["en/*.md"], exclude=["b.*"], language="en")
    assert [record.facts["path"] for record in found] == ["en/a.md"]


def test_the_language_comes_from_the_first_folder(tmp_path):
    write(tmp_path, {"de/guide/a.md": "x", "zh-hans/a.md": "y", "swahili/a.md": "z"})
    found = seeds(tmp_path, language_from="folder", languages={"swahili": "sw"})
    assert [record.language for record in found] == ["de", "sw", "zh-Hans"]


def test_the_language_comes_from_the_files_name(tmp_path):
    write(
        tmp_path, {f"{stem}.txt": "x" for stem in ("deu_1996", "por_BR", "cmn_hans", "sw.part 1")}
    )
    found = seeds(tmp_path, language_from="stem")
    assert [record.language for record in found] == ["zh-Hans", "de", "pt-BR", "sw"]


def test_a_name_without_a_language_is_an_error_unless_the_job_says_what_then(tmp_path):
    write(tmp_path, {"007.txt": "x"})
    with pytest.raises(JobError, match=r"007\.txt: no language tag in '007'"):
        seeds(tmp_path, language_from="stem")
    assert seeds(tmp_path, language_from="stem", otherwise="und")[0].language == "und"


def test_a_file_directly_under_the_path_has_no_language_folder(tmp_path):
    write(tmp_path, {"de.md": "x"})
    with pytest.raises(JobError, match="no language tag"):
        seeds(tmp_path, language_from="folder")


def test_a_file_that_is_not_utf_8_is_named_and_may_be_given_its_encoding(tmp_path):
    write(tmp_path, {"a.txt": "ok", "old.txt": "Größe".encode("cp1252")})
    with pytest.raises(JobError, match=r"old.txt is not utf-8: byte 0xf6 at 2; name its encoding"):
        seeds(tmp_path, language="de")
    found = seeds(tmp_path, language="de", encodings={"old*": "cp1252"})
    assert [record.facts["document"] for record in found] == ["ok", "Größe"]


def test_a_byte_order_mark_is_no_part_of_the_document(tmp_path):
    write(tmp_path, {"a.md": "\ufeff# Titel\n\nText"})
    (found,) = seeds(tmp_path, language="de")
    assert found.facts["title"] == "Titel" and found.facts["document"].startswith("# Titel")


def test_every_part_is_a_verbatim_span_of_its_file_with_its_own_id(tmp_path):
    text = "\n\n".join(f"Absatz {n}: " + "wort " * 40 for n in range(30))
    write(tmp_path, {"a.txt": text})
    found = seeds(tmp_path, language="de", split="paragraphs", max_characters=500)
    assert len(found) == len({record.id for record in found}) == 30
    for number, record in enumerate(found):
        start, end = record.facts["span"]
        assert record.facts["document"] == text[start:end]
        assert record.facts["part"] == number
        assert record.facts["title"] == "a"


def test_sections_carry_their_heading(tmp_path):
    write(tmp_path, {"a.md": "# A\n\neins zwei\n\n## B\n\ndrei vier\n"})
    found = seeds(tmp_path, language="de", split="sections", min_characters=5)
    assert [r.facts["section"] for r in found] == ["A", "B"]
    assert [r.facts["title"] for r in found] == ["A", "A"]


def test_an_archive_is_read_like_the_folder_it_holds(tmp_path):
    files = {"root/b.md": BREAD, "root/a.txt": "α", "__MACOSX/._a.txt": "junk", "root/.x.md": "no"}
    with zipfile.ZipFile(tmp_path / "docs.zip", "w") as archive:
        for name in ("root/", *files):
            archive.writestr(name, files.get(name, ""))
    packed = seeds(tmp_path, path="docs.zip", language="de")
    plain = tmp_path / "plain"
    unpacked = seeds(
        write(plain, {n.removeprefix("root/"): t for n, t in files.items() if "root" in n}),
        language="de",
    )
    assert [r.facts["path"] for r in packed] == [r.facts["path"] for r in unpacked]
    assert [r.facts["document"] for r in packed] == [r.facts["document"] for r in unpacked]


def test_a_damaged_archive_is_an_error_of_the_job(tmp_path):
    with zipfile.ZipFile(tmp_path / "docs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "text " * 1000)
    raw = bytearray((tmp_path / "docs.zip").read_bytes())
    raw[40:50] = b"\xff" * 10
    (tmp_path / "docs.zip").write_bytes(raw)
    with pytest.raises(JobError, match="damaged or locked archive"):
        seeds(tmp_path, path="docs.zip", language="de")


def test_a_folder_without_documents_is_an_error_and_a_blank_file_is_none(tmp_path):
    with pytest.raises(JobError, match=r"no file matches \*.txt, \*.md"):
        seeds(tmp_path, language="de")
    write(tmp_path, {"blank.txt": " \n\u3000\n"})
    assert seeds(tmp_path, language="de") == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "give language"),
        ({"language": "de", "language_from": "stem"}, "give language"),
        ({"language": "de", "min_characters": 9, "max_characters": 8}, "min_characters is above"),
        ({"language": "de", "encoding": "utf-9"}, "no encoding that Python knows"),
        ({"language": "de", "encodings": {"*": "hex"}}, "no encoding that Python knows"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, params, said):
    with pytest.raises(ValidationError, match=said):
        seeds(tmp_path, **params)


@needs_shared
def test_the_declaration_of_human_rights_is_read_in_387_languages_and_an_empty_file():
    found = list(read(SOURCE, SHARED, path="udhr2.zip", language_from="stem", otherwise="und"))
    assert len(found) == len({record.id for record in found}) == 387
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        sizes = {
            i.filename.split("/")[1]: i.file_size for i in archive.infolist() if not i.is_dir()
        }
    assert len(sizes) == 388
    assert sizes.keys() - {record.facts["path"] for record in found} == {"nku.txt"}
    assert sizes["nku.txt"] == 0
    tags = {record.facts["path"]: record.language for record in found}
    und = [path for path, tag in tags.items() if tag == "und"]
    no_language = ["btb.txt", "hna.txt"]  # a code given up, and one of another language
    assert und == ["007.txt", "008.txt", "009.txt", "010.txt", "011.txt", *no_language]
    assert tags["cmn_hant.txt"] == "zh-Hant" and tags["swh.txt"] == "sw"
    assert tags["acu_1.txt"] == "acu" and tags["ell_monotonic.txt"] == "el"
    assert tags["srp_cyrl.txt"] == "sr" and tags["srp_latn.txt"] == "sr-Latn"


@needs_shared
def test_the_inaugural_speeches_are_read_and_cut_verbatim():
    settings = {"path": "inaugural.zip", "language": "en"}
    with pytest.raises(JobError, match=r"2005-Bush\.txt is not utf-8"):
        list(read(SOURCE, SHARED, **settings))
    settings["encodings"] = {"2005-Bush.txt": "cp950"}
    whole = {r.facts["path"]: r.facts["document"] for r in read(SOURCE, SHARED, **settings)}
    assert len(whole) == 59
    assert "America’s" in whole["2005-Bush.txt"]
    parts = list(read(SOURCE, SHARED, split="paragraphs", max_characters=3000, **settings))
    assert len(parts) > 500
    assert all(r.facts["document"] in whole[r.facts["path"]] for r in parts)


def test_a_file_name_that_is_no_text_can_still_be_stored(tmp_path):
    import os

    with open(os.fsencode(tmp_path) + b"/\xff.txt", "w") as file:
        file.write("x")
    (found,) = seeds(tmp_path, language="de")
    assert found.facts["path"] == "\ufffd.txt"
