"""Documents that are there in every clean clone: texts of installed packages, own sentences, and both of them spoilt.

The packages are pinned by requirements.lock. Of humanize come translation catalogues in 30 languages and more, of all
packages the descriptions and licences. What is spoilt is spoilt in one way each, after the reason that it should meet.
"""

import re
from collections.abc import Iterator
from importlib.metadata import distribution, distributions

# One paragraph of one meaning: nothing is lost in silence, and anybody can check it.
SENTENCES = {
    "ar": "كل وثيقة تقرأها هذه الأداة تبقى أو تحذف لسبب مكتوب. لا يضيع شيء في صمت. ويمكن لأي شخص أن يتحقق من الحساب بنفسه.",
    "cs": "Každý dokument, který nástroj přečte, buď zůstane, nebo je vyřazen z uvedeného důvodu. Nic se neztratí potichu.",
    "de": "Jedes Dokument, das dieses Werkzeug liest, bleibt oder fällt aus einem genannten Grund. Nichts geht still verloren!",
    "el": "Κάθε έγγραφο που διαβάζεται είτε μένει είτε απορρίπτεται για έναν γραπτό λόγο. Τίποτα δεν χάνεται σιωπηλά.",
    "en": "Every document that this tool reads is kept, or dropped for a reason that it states. Nothing is lost in silence, "
    "and all of that can be checked by those who have the files. Is it slow? It need not be!",
    "es": "Cada documento que lee esta herramienta se conserva o se descarta por una razón escrita. ¿Se pierde algo? No.",
    "fi": "Jokainen luettu asiakirja joko säilytetään tai hylätään kirjatusta syystä. Mitään ei katoa hiljaa.",
    "fr": "Chaque document lu par cet outil est gardé, ou écarté pour une raison écrite. Rien ne se perd en silence.",
    "he": "כל מסמך שהכלי קורא נשמר או נפסל מסיבה כתובה. דבר אינו אובד בשתיקה. כל אחד יכול לבדוק את החשבון.",
    "hi": "यह औज़ार जो भी दस्तावेज़ पढ़ता है, वह रखा जाता है या लिखित कारण से हटाया जाता है। कुछ भी चुपचाप नहीं खोता।",
    "hy": "Յուրաքանչյուր փաստաթուղթ կամ պահվում է, կամ հանվում գրված պատճառով։ Ոչինչ լռության մեջ չի կորչում։",
    "ja": "この道具が読む文書は、すべて残されるか、書かれた理由で除かれる。黙って失われるものは何もない！誰でも確かめられる。",
    "km": "ឯកសារ​នីមួយៗ​ត្រូវ​បាន​រក្សាទុក ឬ​ដកចេញ​ដោយ​មាន​មូលហេតុ។ គ្មាន​អ្វី​បាត់​ទេ។",
    "ko": "이 도구가 읽는 모든 문서는 남거나, 적힌 이유로 제외된다. 말없이 사라지는 것은 없다. 누구나 확인할 수 있다.",
    "pl": "Każdy przeczytany dokument zostaje albo odpada z podanego powodu. Nic nie ginie po cichu.",
    "ru": "Каждый прочитанный документ сохраняется или отбрасывается по записанной причине. Ничто не теряется молча.",
    "th": "เอกสารทุกฉบับที่อ่านจะถูกเก็บไว้ หรือถูกตัดออกด้วยเหตุผลที่เขียนไว้ ไม่มีสิ่งใดหายไปอย่างเงียบ ๆ",
    "tr": "Okunan her belge ya kalır ya da yazılı bir nedenle çıkarılır. Hiçbir şey sessizce kaybolmaz.",
    "vi": "Mỗi tài liệu được đọc đều được giữ lại, hoặc bị loại vì một lý do đã ghi. Không có gì mất đi trong im lặng.",
    "zh": "这个工具读到的每一份文件，或者留下，或者因写明的理由而去掉。没有什么会无声地丢失。任何人都可以核对。",
}


def catalogues() -> dict[str, str]:
    """humanize's translation catalogues by locale, whole: comments, English and the translation."""
    found = {}
    for file in distribution("humanize").files or ():
        if file.name.endswith(".po"):
            found[file.parts[-3]] = file.read_text(encoding="utf-8")
    return found


def translations() -> dict[str, str]:
    """What the catalogues say, one message a line."""
    message = re.compile(r'^msgstr(?:\[\d\])? "(.+)"$', re.MULTILINE)
    return {locale: "\n".join(message.findall(text)) for locale, text in catalogues().items()}


def papers() -> Iterator[str]:
    """Descriptions and licences of the installed packages, of at most 60,000 characters each."""
    for one in sorted(distributions(), key=lambda one: str(one.name).lower()):
        yield (one.read_text("METADATA") or "")[:60_000]
        for file in one.files or ():
            if re.fullmatch(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS).*", file.name) and file.suffix in (
                "",
                ".txt",
                ".md",
                ".rst",
            ):
                path = file.locate()
                if path.is_file():  # type: ignore[union-attr]
                    yield path.read_bytes().decode("utf-8", "replace")[:60_000]  # type: ignore[union-attr]


def real() -> list[str]:
    """All of the above, each text once."""
    texts = [*catalogues().values(), *translations().values(), *papers()]
    texts += [" ".join([text] * 3) for text in SENTENCES.values()]
    texts += ["\n".join([*SENTENCES.values()])]
    return list(dict.fromkeys(texts))


def spoilt(text: str) -> Iterator[str]:
    """The text with one fault each."""
    lines = text.splitlines() or [""]
    words = text.split() or ["x"]
    some = lines[: max(1, len(lines) // 3)]
    yield "\n\n".join([text] * 3)
    yield text + "\n\n" + text
    yield "\n".join(line for line in lines for _ in range(2))
    yield "\n".join([*lines, *some, *some])
    yield "\n\n".join([*lines, max(lines, key=len), max(lines, key=len)])
    yield "\n".join(words)
    yield "\n".join(f"- {line}" for line in lines)
    yield "\n".join(f"  • {line}" for line in lines)
    yield "\n".join(f"{line} ... " for line in lines)
    yield "\n".join(f"{line}…" for line in some) + "\n" + text
    yield " # ".join(words)
    yield " ... ".join(words)
    yield " ".join(character for character in text[:2000])
    yield "_".join(words[:20]) + " " + "_".join(words[20:])
    yield re.sub(r"\w", "7", text)
    yield text.replace(".", "").replace("!", "")
    yield text.replace("\n", "\r\n")
    yield text.replace("\n", "\u2028")
    yield " ".join(words) + "."
    yield "\n".join(f"{line}[12] and so on." for line in lines)
    yield "\n".join(f"{line} Use JavaScript, read the privacy policy." for line in lines)
    yield f"{text}\nHere is some Lorem Ipsum dolor.\n"
    yield f"{text}\nA line with {{ in it.\n"
    yield text[:300]
    yield " ".join(words[:40] * 8)


def bordering() -> Iterator[str]:
    """Texts whose shares lie on a default threshold exactly, and one hundredth to either side."""
    word = [f"the of{number} with" for number in range(100)]  # 300 words, all different line by line
    lines = [f"{some} and some more words {number}." for number, some in enumerate(word)]
    for share in (29, 30, 31):  # lines that end in an ellipsis; lines and paragraphs that were there before
        yield "\n".join(line + "..." * (number < share) for number, line in enumerate(lines))
        for joint in ("\n", "\n\n"):
            yield joint.join([*lines[: 100 - share], *["x."] * share])
            yield joint.join(lines[: 100 - share] + lines[:share])
    for share in (89, 90, 91):
        yield "\n".join("- " * (number < share) + line for number, line in enumerate(lines))
    for share in (11, 12, 13):
        yield "\n".join(line[:-1] + "." * (number < share) for number, line in enumerate(lines))
    for share in (66, 67, 68):  # 30 characters and 31
        yield "\n".join(f"{number:02} {'long' * 7}"[: 29 + (number >= share)] + "." for number in range(100))
    for share in (9, 10, 11):
        yield " ".join(f"#the{number}" if number < share else f"the{number} of" for number in range(100)) + " the of"
        for symbol in ("#", "...", "…"):
            yield " ".join(["the", "of", *[f"word{number}{symbol * (number < share)}" for number in range(98)]])
    for share in (79, 80, 81):
        yield " ".join(["the", "of", *[f"w{number}" if number < share - 2 else f"{number}0" for number in range(98)]])
    for share in (49, 50, 51):
        yield " ".join(["the", "of", *[f"word{number}" for number in range(share - 2)], "!", ".", "?", "..."])
    for size in (2, 3, 4, 9, 10, 11):  # mean word length
        yield " ".join(["the", "with", *["q" * size] * 60, *(["the"] * 8)])
        yield " ".join(["be", "to", "abcd", "that", *["q" * size] * 60])
    for size in (29, 30, 31):  # line feeds by words: 100 long words in so many lines and one
        rows = [[f"longword{number:04}" for number in range(row, 100, size + 1)] for row in range(size + 1)]
        yield "\n".join(" ".join([*row[:-1], row[-1] + "."]) for row in rows)
    for size in (999, 1000, 1001):  # the longest word of C4's lines
        yield "\n".join(f"It says {'q' * size} at {number}." for number in range(6))


def made() -> Iterator[str]:
    """Texts made for a reason that spoilt ones seldom meet first."""
    yield from bordering()
    yield from ("", " ", "\n", "\n\n \n", "\u3000", "\u200b", "x", "...", "\x00")
    unique = [f"w{number:04}" for number in range(400)]
    more = [f"w{number:04}" for number in range(2000)]
    for size in range(250, 480, 2):  # duplicated_5_n_grams to duplicated_10_n_grams: 9 to 16 % of the characters
        yield " ".join(more + more[:size])
    for width in (2, 3, 4):  # top_2_gram to top_4_gram: one phrase among words that are all different
        for times in range(5, 60):
            yield " ".join(f"{word} {' '.join(unique[-width:]) if number < times else ''}"
                           for number, word in enumerate(unique[:200]))  # fmt: skip
    long, short = " ".join(unique[:30]), [f"line {number}" for number in range(60)]
    yield "\n".join([*short, long, long, long])  # dup_line_char_frac
    yield "\n\n".join([*short, long, long, long])  # dup_para_char_frac
    yield " ".join(f"word{number % 9973}" for number in range(100_001))  # gopher_long_doc
    yield "The end of that and the rest have been with us. " * 6 + "\n" + "and\n" * 3  # passes much
