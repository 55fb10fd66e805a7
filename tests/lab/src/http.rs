//! A small HTTP/1.1 client: one warm connection, answers read whole.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A client of one address. Calls block; clone it for other threads (each clone connects anew).
#[derive(Debug)]
pub struct HttpClient {
    address: SocketAddr,
    limit: Duration,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`, empty without one.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text, for people.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl HttpClient {
    /// A client that waits at most `limit` for each read and write.
    #[must_use]
    pub const fn new(address: SocketAddr, limit: Duration) -> Self {
        Self {
            address,
            limit,
            connection: None,
        }
    }

    /// `GET`.
    ///
    /// # Errors
    ///
    /// No connection, no answer in time, or no HTTP.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], None)
    }

    /// `POST` of a JSON body, with more headers.
    ///
    /// # Errors
    ///
    /// As [`HttpClient::get`].
    pub fn post_json(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send("POST", path, headers, Some(body))
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> io::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            request.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        // A warm connection may have been closed meanwhile; that shows before any byte of an answer.
        if let Some(connection) = self.connection.take()
            && let Ok(answer) = self.exchange(connection, &bytes)
        {
            return answer;
        }
        let stream = TcpStream::connect_timeout(&self.address, self.limit)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.limit))?;
        stream.set_write_timeout(Some(self.limit))?;
        self.exchange(BufReader::new(stream), &bytes)
            .unwrap_or_else(Err)
    }

    /// The outer error says that no byte of an answer came.
    fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        request: &[u8],
    ) -> Result<io::Result<Answer>, io::Error> {
        connection.get_mut().write_all(request)?;
        if connection.fill_buf()?.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read_answer(&mut connection).map(|(answer, keep)| {
            self.connection = keep.then_some(connection);
            answer
        }))
    }
}

impl Clone for HttpClient {
    fn clone(&self) -> Self {
        Self::new(self.address, self.limit)
    }
}

/// Reads one answer, and whether the connection can be used again.
fn read_answer(from: &mut impl BufRead) -> io::Result<(Answer, bool)> {
    let status_line = line(from)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    let Some(status) = status.filter(|_| status_line.starts_with("HTTP/1.")) else {
        return Err(bad("the first line is none of HTTP/1.1"));
    };
    let (mut length, mut chunked, mut keep) = (None, false, true);
    let mut content_type = String::new();
    loop {
        let header = line(from)?;
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else {
            return Err(bad("a header without a colon"));
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = Some(value.parse::<u64>().map_err(|_| bad("content-length"))?);
            }
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep = !value.eq_ignore_ascii_case("close"),
            "content-type" => value.clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = Vec::new();
    match (chunked, length) {
        (true, _) => read_chunks(from, &mut body)?,
        (false, Some(length)) => read_exactly(from, length, &mut body)?,
        (false, None) => {
            keep = false;
            from.take(MAX_BODY).read_to_end(&mut body)?;
        }
    }
    Ok((
        Answer {
            status,
            content_type,
            body,
        },
        keep,
    ))
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(from)?;
        let size = size.split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk's size"))?;
        if size == 0 {
            while !line(from)?.is_empty() {}
            return Ok(());
        }
        read_exactly(from, size, body)?;
        line(from)?;
    }
}

fn read_exactly(from: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let have = u64::try_from(body.len()).unwrap_or(u64::MAX);
    if have.saturating_add(length) > MAX_BODY {
        return Err(bad("the body is too long"));
    }
    let read = from.by_ref().take(length).read_to_end(body)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(bad("a line has no end"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("a line is not text"))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("no HTTP answer: {what}"),
    )
}

const MAX_LINE: u64 = 16 * 1024;
const MAX_BODY: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    fn read(text: &str) -> io::Result<(Answer, bool)> {
        read_answer(&mut text.as_bytes())
    }

    #[test]
    fn bodies_by_length_in_chunks_and_to_the_end() {
        let (answer, keep) =
            read("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 2\r\n\r\nOKxx")
                .unwrap();
        assert_eq!(
            (answer.status, answer.text().as_str(), keep),
            (200, "OK", true)
        );
        assert_eq!(answer.content_type, "text/plain");
        let chunks =
            "HTTP/1.1 412 x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        let (answer, keep) = read(chunks).unwrap();
        assert_eq!(
            (answer.status, answer.text().as_str(), keep),
            (412, "abc", true)
        );
        let (answer, keep) = read("HTTP/1.1 200 OK\r\n\r\nall").unwrap();
        assert_eq!((answer.text().as_str(), keep), ("all", false));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in [
            "",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
            "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_connection_that_was_closed_is_opened_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (stream, _) = listener.accept().unwrap();
                let mut stream = BufReader::new(stream);
                while !line(&mut stream).unwrap().is_empty() {}
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";
                stream.get_mut().write_all(answer).unwrap();
            }
        });
        let mut client = HttpClient::new(address, Duration::from_secs(5));
        for _ in 0..2 {
            assert_eq!(client.get("/upcheck").unwrap().text(), "OK");
        }
        server.join().unwrap();
        assert!(client.get("/upcheck").is_err());
    }
}
