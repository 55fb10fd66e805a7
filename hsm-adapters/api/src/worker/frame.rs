//! Frames on the pipe: a length of four bytes, big endian, and the message.

use std::io::{self, ErrorKind, Read, Write};

use zeroize::Zeroizing;

/// Reads one frame; `None` at a clean end of the stream.
///
/// # Errors
///
/// The stream's, and `InvalidData` for a length over [`FRAME_MAX`], before anything is allocated.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut prefix = [0; 4];
    if !read_first(stream, &mut prefix)? {
        return Ok(None);
    }
    let len = usize::try_from(u32::from_be_bytes(prefix)).unwrap_or(usize::MAX);
    if len > FRAME_MAX {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("frame of {len} bytes, at most {FRAME_MAX}"),
        ));
    }
    let mut frame = Zeroizing::new(vec![0; len]);
    stream.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// Writes one frame and flushes.
///
/// # Errors
///
/// The stream's, and `InvalidData` for a message over [`FRAME_MAX`].
pub(crate) fn write(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let too_long = || {
        io::Error::new(
            ErrorKind::InvalidData,
            format!("message of {} bytes", message.len()),
        )
    };
    if message.len() > FRAME_MAX {
        return Err(too_long());
    }
    let len = u32::try_from(message.len()).map_err(|_| too_long())?;
    stream.write_all(&len.to_be_bytes())?;
    stream.write_all(message)?;
    stream.flush()
}

/// Fills `prefix`; `false` when the stream ends before its first byte.
fn read_first(stream: &mut impl Read, prefix: &mut [u8; 4]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < prefix.len() {
        match stream.read(&mut prefix[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Largest message, in bytes. One message fits the kernel's pipe buffer.
pub(crate) const FRAME_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_read_back_and_end_cleanly() {
        let mut pipe = Vec::new();
        write(&mut pipe, b"one").unwrap();
        write(&mut pipe, b"").unwrap();
        let mut stream = pipe.as_slice();
        assert_eq!(read(&mut stream).unwrap().unwrap().as_slice(), b"one");
        assert_eq!(read(&mut stream).unwrap().unwrap().as_slice(), b"");
        assert!(read(&mut stream).unwrap().is_none());
    }

    #[test]
    fn oversize_and_cut_frames_are_errors() {
        let oversize = u32::try_from(FRAME_MAX + 1).unwrap().to_be_bytes();
        assert_eq!(
            read(&mut oversize.as_slice()).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        assert_eq!(
            read(&mut [0_u8, 0].as_slice()).unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
        assert_eq!(
            read(&mut [0_u8, 0, 0, 2, 7].as_slice()).unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
        assert!(write(&mut Vec::new(), &vec![0; FRAME_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_streams_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut stream = bytes.as_slice();
            while let Ok(Some(_)) = read(&mut stream) {}
        }
    }
}
