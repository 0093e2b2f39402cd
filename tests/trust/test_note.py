"""Signed notes: the published ones open, no byte of our own is free, and each way to be malformed has its message."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NAME = "example.com/log"
OURS = [(NAME, KEY.public_key())]

# The example of golang.org/x/mod/sumdb/note (note.go; BSD-3-Clause), whose keys are published for that purpose.
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}".encode()
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
# The examples of c2sp.org/signed-note and c2sp.org/tlog-checkpoint; their public keys are not published.
C2SP_NOTE = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
# An earlier edition's example, with its key.
C2SP_EARLIER = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def verifier(vkey: str) -> note.Verifier:
    """A key in the form `name+id+base64(type || key)`; its id has to be what we make of name and key."""
    name, key_id, encoded = vkey.split("+", 2)
    raw = base64.b64decode(encoded)
    assert raw[:1] == note.ED25519
    public = Ed25519PublicKey.from_public_bytes(raw[1:])
    assert note.key_id(name, public).hex() == key_id
    assert note.verifier_key(name, public) == vkey
    return name, public


def refusal(data: bytes, keys: list[note.Verifier] = OURS) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        note.open_note(data, keys, "checkpoint")
    assert caught.value.where == "checkpoint"
    return caught.value


def line(name: str = NAME, blob: bytes = b"1234" + bytes(64)) -> str:
    return f"— {name} {base64.b64encode(blob).decode()}\n"


# ---------------------------------------------------------------- what is published


def test_the_example_of_the_go_package_opens_and_signing_gives_its_bytes() -> None:
    key = verifier(GO_KEY)
    assert note.open_note(GO_NOTE, [key]) == note.Opened(GO_TEXT, (key,))
    assert note.sign(GO_TEXT, "PeterNeumann", Ed25519PrivateKey.from_private_bytes(GO_SEED)) == GO_NOTE


def test_the_examples_of_the_specification_parse_and_the_one_with_a_published_key_opens() -> None:
    parsed = note.parse(C2SP_NOTE.encode())
    assert parsed.text.count("\n") == 4 and parsed.text.endswith("sera.\n")
    (one,) = parsed.signatures
    assert (one.name, one.key_id.hex(), len(one.signature)) == ("quasimodo.example/salvatore", "367ba04b", 64)
    assert note.open_note(C2SP_EARLIER.encode(), [verifier(C2SP_KEY)]).text == "This is an example message.\n"


# ---------------------------------------------------------------- what holds

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32)]))
texts = st.lists(lines, min_size=1).map("\n".join).map(lambda text: text + "\n").filter(
    lambda text: not text.startswith("\ufeff")
)  # fmt: skip
names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1).filter(
    lambda name: not any(character.isspace() for character in name)
)


@given(texts, names)
def test_what_was_signed_opens_as_it_was(text: str, name: str) -> None:
    signed = note.sign(text, name, KEY)
    assert note.parse(signed).text == text
    assert note.open_note(signed, [("another", OTHER.public_key()), (name, KEY.public_key())]).text == text


@given(st.data())
def test_a_flipped_bit_anywhere_in_a_note_is_refused(data: st.DataObject) -> None:
    signed = bytearray(note.sign("example.com/log\n7\nroot\n", NAME, KEY))
    place = data.draw(st.integers(0, len(signed) - 1))
    signed[place] ^= 1 << data.draw(st.integers(0, 7))
    refusal(bytes(signed))


@given(st.binary())
def test_bytes_that_are_no_note_are_refused_by_a_message(data: bytes) -> None:
    refusal(data)


@given(texts, st.data())
def test_a_cut_or_lengthened_note_is_refused(text: str, data: st.DataObject) -> None:
    signed = note.sign(text, NAME, KEY)
    refusal(signed[: data.draw(st.integers(0, len(signed) - 1))])
    refusal(signed + data.draw(st.binary(min_size=1)))


def test_lines_of_unknown_keys_are_ignored_before_and_after_ours() -> None:
    text = "text\n"
    ours = note.sign(text, NAME, KEY).decode().removeprefix("text\n\n")
    unknown = [
        line("witness.example"),
        line(NAME, b"9999" + bytes(64)),  # our name, another id
        line("witness.example", note.key_id(NAME, KEY.public_key()) + bytes(64)),  # our id, another name
        line("post.quantum", b"9999" + bytes(5000)),
        note.sign(text, NAME, OTHER).decode().removeprefix("text\n\n"),
    ]
    for others in [[]] + [[one] for one in unknown] + [unknown * 4]:
        opened = note.open_note(f"{text}\n{''.join(others)}{ours}{''.join(others)}".encode(), OURS)
        assert opened.signers == tuple(OURS)


def test_a_wrong_signature_of_a_known_key_spoils_the_note_even_beside_a_right_one() -> None:
    signed = note.sign("text\n", NAME, KEY).decode()
    wrong = line(NAME, note.key_id(NAME, KEY.public_key()) + bytes(64))
    assert "does not verify" in refusal((signed + wrong).encode()).seen
    assert "does not verify" in refusal(f"text\n\n{wrong}".encode()).seen
    short = line(NAME, note.key_id(NAME, KEY.public_key()) + bytes(63))
    assert "does not verify" in refusal(f"text\n\n{short}".encode()).seen


def test_a_note_that_only_strangers_signed_is_refused_and_names_them() -> None:
    error = refusal(note.sign("text\n", NAME, OTHER))
    assert f"{NAME}+{note.key_id(NAME, OTHER.public_key()).hex()}" in error.seen
    assert note.key_id(NAME, KEY.public_key()).hex() in error.wanted
    assert "none is given" in refusal(note.sign("text\n", NAME, KEY), []).wanted


# ---------------------------------------------------------------- what is malformed

NO_BREAK = "a\u00a0b"  # with a space that is none of ASCII
FAULTS = {
    "not UTF-8": (b"text\xff\n\n" + line().encode(), "not UTF-8 at byte 4"),
    "a tab": (f"te\txt\n\n{line()}".encode(), "control character"),
    "a carriage return": (f"text\r\n\r\n{line()}".encode(), "control character"),
    "a byte order mark": (f"\ufefftext\n\n{line()}".encode(), "byte order mark"),
    "a last line without end": (f"text\n\n{line()}".encode()[:-1], "does not end"),
    "nothing": (b"", "does not end"),
    "no empty line": (f"text\n{line()}".encode(), "no empty line"),
    "no signature": (b"text\n\n", "no signature"),
    "a hyphen": (f"text\n\n{line().replace('—', '-')}".encode(), "signature line 0 is"),
    "text after signatures": (f"text\n\n{line()}more\n".encode(), "signature line 1 is"),
    "no base64": (f"text\n\n— {NAME}\n".encode(), "has 1 parts"),
    "two spaces": (f"text\n\n{line().replace(NAME, NAME + ' ')}".encode(), "has 3 parts"),
    "no name": (f"text\n\n{line('')}".encode(), "is empty"),
    "a space that is none of ASCII": (f"text\n\n{line(NO_BREAK)}".encode(), "white space"),
    "a plus": (f"text\n\n{line('a+b')}".encode(), "has a `+`"),
    "a letter that is not base64": (f"text\n\n— {NAME} AAAAAAA_\n".encode(), "not base64"),
    "free bits": (f"text\n\n— {NAME} AAAAAAB=\n".encode(), "one standard base64"),
    "an id alone": (f"text\n\n{line(NAME, b'1234')}".encode(), "has 4 bytes"),
    "too much": (b"a" * note.NOTE_LIMIT + b"\n\n" + line().encode(), "more than"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_malformed_note_is_refused_by_its_own_message(fault: str) -> None:
    data, message = FAULTS[fault]
    assert message in refusal(data).seen


@pytest.mark.parametrize(
    ("text", "name"),
    [("no end", NAME), ("", NAME), ("a\tb\n", NAME), ("text\n", ""), ("text\n", "a b"), ("text\n", "a+b")],
)
def test_nothing_is_signed_that_could_not_be_opened(text: str, name: str) -> None:
    with pytest.raises(RecipeError):
        note.sign(text, name, KEY)
