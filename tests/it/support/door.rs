//! A door between a client and a server of the Account API that lets exactly so many writes through.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

/// When the door shuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// All writes are answered; the next one is not let through.
    BeforeTheNext,
    /// The last write is let through, and done, but its answer is kept back.
    BeforeTheAnswer,
}

/// The door. Once it is shut nothing passes, and nobody learns why.
pub struct Door {
    pub url: String,
    shared: Arc<Mutex<Shared>>,
    shutting: mpsc::Receiver<()>,
}

struct Shared {
    server: String,
    left: usize,
    shut: Shut,
    /// Writes that were let through and are not answered yet.
    under_way: usize,
    is_shut: bool,
    is_closed: bool,
    connections: Vec<TcpStream>,
    tell: mpsc::Sender<()>,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    Through,
    /// The answer is kept, and the door shuts.
    LastOne,
    Kept,
}

impl Door {
    pub fn in_front_of(url: &str, writes: usize, shut: Shut) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, shutting) = mpsc::channel();
        let shared = Shared {
            server,
            left: writes,
            shut,
            under_way: 0,
            is_shut: false,
            is_closed: false,
            connections: Vec::new(),
            tell,
        };
        let shared = Arc::new(Mutex::new(shared));
        let behind = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut guard = behind.lock().unwrap();
                if guard.is_closed {
                    continue;
                }
                guard.connections.push(client.try_clone().unwrap());
                drop(guard);
                let shared = behind.clone();
                std::thread::spawn(move || {
                    // A connection that ends, on either side, ends the conversation and nothing else.
                    let _ = converse(client, &shared);
                });
            }
        });
        Self { url, shared, shutting }
    }

    /// Waits until the door has shut: so many writes are done.
    pub fn wait(&self) {
        self.shutting.recv_timeout(std::time::Duration::from_secs(60)).expect("there are so many writes");
    }

    /// Ends all conversations, and answers no more.
    pub fn close(&self) {
        let mut shared = self.shared.lock().unwrap();
        shared.is_closed = true;
        for connection in shared.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn passage(&mut self, is_write: bool) -> Passage {
        if self.is_shut {
            return Passage::Kept;
        }
        if !is_write {
            return Passage::Through;
        }
        match (self.left, self.shut) {
            (0, _) => {
                self.is_shut = true;
                self.tell_when_quiet();
                Passage::Kept
            }
            (1, Shut::BeforeTheAnswer) => {
                self.left = 0;
                self.under_way += 1;
                self.is_shut = true;
                Passage::LastOne
            }
            _ => {
                self.left -= 1;
                self.under_way += 1;
                Passage::Through
            }
        }
    }

    fn answered(&mut self) {
        self.under_way -= 1;
        if self.is_shut {
            self.tell_when_quiet();
        }
    }

    /// Everything that was let through is done.
    fn tell_when_quiet(&mut self) {
        if self.under_way == 0 {
            let _ = self.tell.send(());
        }
    }
}

/// One request after the other: the client speaks, the server answers.
fn converse(mut client: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let address = shared.lock().unwrap().server.clone();
    let mut server = TcpStream::connect(address)?;
    loop {
        let Some(request) = message(&mut client)? else { return Ok(()) };
        let is_write = [b"POST".as_slice(), b"PATCH", b"DELETE"].iter().any(|verb| request.starts_with(verb));
        let passage = shared.lock().unwrap().passage(is_write);
        if passage == Passage::Kept {
            // The client waits for an answer, until it or the door is gone.
            let _ = client.read(&mut [0]);
            return Ok(());
        }
        server.write_all(&request)?;
        let Some(answer) = message(&mut server)? else { return Ok(()) };
        if passage == Passage::LastOne {
            shared.lock().unwrap().answered();
            let _ = client.read(&mut [0]);
            return Ok(());
        }
        client.write_all(&answer)?;
        if is_write {
            shared.lock().unwrap().answered();
        }
    }
}

/// A whole HTTP message: its head, and as much body as the head says.
fn message(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut packet = vec![0; 65536];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + length.unwrap_or(0) {
                return Ok(Some(bytes));
            }
        }
        match stream.read(&mut packet)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&packet[..count]),
        }
    }
}
