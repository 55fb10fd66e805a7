//! Many requests at once over warm connections, from one thread.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use symbolon_lab::{Answer, Sample};

/// A connection on which a request can be sent and its answer be read later.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.get_mut().write_all(request)?)
    }

    pub(crate) fn receive(&mut self) -> anyhow::Result<Answer> {
        read_answer(&mut self.0)
    }
}

/// The bytes of a request, made before the clock runs.
pub(crate) fn request_bytes(sample: &Sample, host: SocketAddr) -> Vec<u8> {
    let body = sample.body.to_string();
    format!(
        "POST {} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        sample.path(),
        body.len(),
    )
    .into_bytes()
}

fn read_answer(from: &mut impl BufRead) -> anyhow::Result<Answer> {
    let first = line(from)?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("no status: {first:?}"))?;
    let (mut content_type, mut length) = (String::new(), None);
    loop {
        let header = line(from)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => content_type = value.trim().to_owned(),
            "content-length" => length = Some(value.trim().parse::<usize>()?),
            _ => {}
        }
    }
    let length = length.context("an answer without content-length")?;
    if length > MAX_BODY {
        bail!("an answer of {length} bytes");
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Answer {
        status,
        content_type,
        body,
    })
}

fn line(from: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    from.take(MAX_LINE).read_line(&mut line)?;
    if !line.ends_with('\n') {
        bail!("the connection was closed, or a line is too long");
    }
    Ok(line.trim_end().to_owned())
}

const LIMIT: Duration = Duration::from_secs(10);
const MAX_LINE: u64 = 8 * 1024;
const MAX_BODY: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_one_after_the_other() {
        let two = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 2\r\n\r\nab\
                   HTTP/1.1 412 No\r\ncontent-length: 0\r\n\r\n";
        let mut from = two.as_bytes();
        let first = read_answer(&mut from).unwrap();
        assert_eq!((first.status, first.text().as_str()), (200, "ab"));
        assert_eq!(first.content_type, "text/plain");
        assert_eq!(read_answer(&mut from).unwrap().status, 412);
        assert!(read_answer(&mut from).is_err());
        let endless = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n";
        assert!(read_answer(&mut endless.as_bytes()).is_err());
    }
}
