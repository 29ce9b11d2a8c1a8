//! What bytes are, by what they begin with: a platform's word for it is not taken.

/// The content type of a picture that cannot carry a script; `None` for anything else.
pub(super) fn find_kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => {
            Some("image/avif")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_first_bytes_and_nothing_else_passes() {
        let found = |bytes: &[u8]| find_kind(bytes);
        assert_eq!(found(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(found(b"GIF89a...."), Some("image/gif"));
        assert_eq!(found(b"GIF87a...."), Some("image/gif"));
        assert_eq!(found(b"RIFF\x10\0\0\0WEBPVP8L"), Some("image/webp"));
        assert_eq!(found(b"\xff\xd8\xff\xe0...."), Some("image/jpeg"));
        assert_eq!(found(b"\0\0\0\x20ftypavif...."), Some("image/avif"));
        let others: [&[u8]; 6] =
            [b"", b"GIF", b"<svg xmlns=", b"<!doctype html>", b"alert(1)", b"RIFF\x10\0\0\0WAVE"];
        for other in others {
            assert_eq!(found(other), None, "{other:?}");
        }
    }
}
