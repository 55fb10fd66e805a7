//! A small HTTP/1.1 client that can misbehave.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncBufReadExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection that stays open.
pub struct Connection<S = TcpStream> {
    stream: BufReader<S>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// Sends a request with a body and reads its answer.
    pub async fn ask(&mut self, head: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{head}\r\nhost: lab\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.write(head.as_bytes()).await;
        self.write(body).await;
        self.read().await
    }

    /// Reads one answer.
    pub async fn read(&mut self) -> Answer {
        tokio::time::timeout(Duration::from_secs(20), self.read_one())
            .await
            .expect("an answer within 20 s")
            .expect("an answer before the connection ends")
    }

    /// Whether the other side has closed.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0; 1];
        let read = self.stream.read(&mut byte);
        matches!(
            tokio::time::timeout(Duration::from_secs(5), read).await,
            Ok(Ok(0) | Err(_))
        )
    }

    async fn read_one(&mut self) -> Option<Answer> {
        let status = self.line().await?;
        let status = status.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(self.line().await?.trim(), 16).ok()?;
                let mut chunk = vec![0; size];
                self.stream.read_exact(&mut chunk).await.ok()?;
                self.line().await?;
                if size == 0 {
                    break;
                }
                answer.body.extend(chunk);
            }
        } else {
            let length = answer
                .header("content-length")
                .map_or(0, |text| text.parse().unwrap());
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body).await.ok()?;
        }
        Some(answer)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    Connection::open(address)
        .await
        .ask(&format!("GET {path} HTTP/1.1"), b"")
        .await
}

/// The head of a signing request, with further header lines.
pub fn head(key: &str, more: &str) -> String {
    format!("POST /api/v1/eth2/sign/{key} HTTP/1.1\r\ncontent-type: application/json{more}")
}

/// Asks for a signature on a connection of its own; JSON is wanted.
pub async fn sign(address: SocketAddr, key: &str, body: &serde_json::Value) -> Answer {
    let head = head(key, "\r\naccept: application/json");
    Connection::open(address)
        .await
        .ask(&head, body.to_string().as_bytes())
        .await
}
