"""Files with one fault each, made when they are asked for, and the whole ones that they are made from."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping

import zstandard

PAGE = b"The river runs under the bridge.\n" * 40

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def wheel(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tar(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def deb(files: Mapping[str, bytes], compression: str = "xz") -> bytes:
    """A Debian package: members `debian-binary`, `control.tar`, `data.tar.*`; paths begin with `./`."""
    suffix = {"xz": ".xz", "gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2", "": ""}[compression]
    data = tar({f"./{name}": content for name, content in files.items()}, tarfile.GNU_FORMAT)
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar": tar({"./control": b"Package: x\n"}),
        f"data.tar{suffix}": COMPRESS[compression](data) if compression else data,
    }
    out = b"!<arch>\n"
    for name, content in parts.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out


def truncated_wheel() -> bytes:
    return wheel({"a.txt": PAGE, "b.txt": PAGE})[:-30]


def wheel_with_a_flipped_byte() -> bytes:
    """Stored, so that only the CRC tells."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", PAGE)
    return buffer.getvalue().replace(b"bridge", b"fridge", 1)


def truncated_deb() -> bytes:
    data = deb({"usr/share/doc/a.txt": PAGE})
    return data[:-40]


def deb_without_data() -> bytes:
    data = deb({"a.txt": PAGE})
    return data[: data.index(b"data.tar")]


def tar_that_ends_at_a_header() -> bytes:
    """Cut between two members: `tarfile` takes it for the end."""
    return tar({"a.txt": PAGE, "b.txt": PAGE}, tarfile.USTAR_FORMAT)[: 512 + 1536]


def tar_without_end_mark() -> bytes:
    return tar({"a.txt": PAGE}, tarfile.USTAR_FORMAT)[: 512 + 1536]


def tar_with_a_broken_header() -> bytes:
    """`tarfile` stops at it without a word."""
    data = bytearray(tar({"a.txt": PAGE, "b.txt": PAGE}, tarfile.USTAR_FORMAT))
    data[512 + 1536 + 100] ^= 0x40
    return bytes(data)


def tar_that_ends_in_a_member() -> bytes:
    return tar({"a.txt": PAGE}, tarfile.USTAR_FORMAT)[:900]


def tar_with_more_after_its_end() -> bytes:
    return tar({"a.txt": PAGE}, tarfile.USTAR_FORMAT) + tar({"b.txt": PAGE}, tarfile.USTAR_FORMAT)


def tar_with_a_huge_pax_header() -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 7 << 30
    return info.tobuf(tarfile.USTAR_FORMAT) + b"0" * 4096


def tar_of(kind: bytes, name: str = "odd", link: str = "/etc/passwd") -> bytes:
    """One entry of a kind that is no file (link, device, sparse file), then a file."""
    first = tarfile.TarInfo(name)
    first.type, first.linkname = kind, link
    second = tarfile.TarInfo("a.txt")
    second.size = len(PAGE)
    return (
        first.tobuf(tarfile.GNU_FORMAT)
        + second.tobuf(tarfile.GNU_FORMAT)
        + PAGE
        + bytes(-len(PAGE) % 512)
        + bytes(1024)
    )


def wheel_with_a_symbolic_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("odd")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("a.txt", PAGE)
    return buffer.getvalue()


def wheel_with_an_encrypted_member() -> bytes:
    data = bytearray(wheel({"odd": PAGE, "a.txt": PAGE}))
    data[6] |= 1  # general purpose flags of the first local header
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def wheel_with_an_unknown_compression() -> bytes:
    data = bytearray(wheel({"odd": PAGE, "a.txt": PAGE}))
    data[8], data[data.index(b"PK\x01\x02") + 10] = 97, 97
    return bytes(data)


def wheel_with_a_name_twice() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for text in (PAGE, b"another", b"a third"):
            archive.writestr("a.txt", text)
    return buffer.getvalue()


def wheel_with_a_nul_in_a_name() -> bytes:
    return wheel({"a.txt?.exe": PAGE}).replace(b"a.txt?", b"a.txt\x00")


def wheel_with_a_nameless_member() -> bytes:
    """The name moved into the extra field of the central directory (lengths at 28 and 30 of its header)."""
    data = bytearray(wheel({"abcdef": b""}))
    at = data.index(b"PK\x01\x02")
    data[at + 28], data[at + 30] = 0, 6
    data[at + 46 : at + 52] = b"\xff\xff\x02\x00ef"  # an extra field of an unknown kind, 2 bytes long
    return bytes(data)


def gzip_bomb() -> bytes:
    """1 GB of zeros in 1 MB: 16 gzip streams of 64 MB."""
    return gzip.compress(bytes(64 << 20), 6, mtime=0) * 16


def deflate_bomb_in_a_wheel() -> bytes:
    """128 MB of zeros in a member of 128 kB."""
    return wheel({"a.txt": bytes(128 << 20)})


def zstd_bomb() -> bytes:
    """4 GB of zeros in one frame of 128 kB: run-length blocks (RFC 8878, section 3.1.1.2)."""
    header = b"\x28\xb5\x2f\xfd" + bytes([0b0000_0000, 0x38])  # no checksum, no content size; window of 128 kB
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\x00"
    last = (1 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\x00"
    return header + block * (32 << 10) + last


def warc_record(kind: str, block: bytes, url: str = "http://example.org/", extra: bytes = b"") -> bytes:
    return (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>\r\n"
        f"Content-Type: application/http; msgtype={kind}\r\nContent-Length: {len(block)}\r\n".encode()
        + extra + b"\r\n" + block + b"\r\n\r\n"
    )  # fmt: skip


def http(body: bytes, status: str = "200 OK", content_type: str = "text/html", headers: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n".encode() + headers + b"\r\n" + body


def html(text: str, title: str = "A title", head: str = "") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body><p>{text}</p></body></html>"


def wiki_page(title: str, text: str, namespace: int = 0, more: str = "", model: str = "wikitext") -> str:
    return (
        f"<page><title>{title}</title><ns>{namespace}</ns><id>1</id>{more}<revision><id>2</id><model>{model}</model>"
        f'<text xml:space="preserve">{text}</text></revision></page>'
    )


def wiki_dump(*pages: str) -> bytes:
    return (
        '<mediawiki version="0.10" xml:lang="de"><siteinfo><base>https://de.example.org/wiki/Hauptseite</base><namespaces>'
        '<namespace key="0" case="first-letter" /><namespace key="6" case="first-letter">Datei</namespace>'
        '<namespace key="14" case="first-letter">Kategorie</namespace></namespaces></siteinfo>\n'
        + "\n".join(pages)
        + "\n</mediawiki>\n"
    ).encode()
