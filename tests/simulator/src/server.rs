//! The server: a listener, its cameras, and the thread they run on.
//!
//! What belongs here: the life of the server. Everything runs on one thread of its own, so that it
//! can be used from tests of any kind.

use crate::camera::{Camera, CameraHandle, Shared};
use crate::connection;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::{io, thread};
use tokio::sync::mpsc as commands;
use tokio::task::JoinSet;

/// The cameras of a server by path.
#[derive(Clone, Default)]
pub(crate) struct Cameras(Arc<Mutex<HashMap<String, Arc<Shared>>>>);

impl Cameras {
    pub(crate) fn find(&self, path: &str) -> Option<Arc<Shared>> {
        self.with(|cameras| cameras.get(path).cloned())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Arc<Shared>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

enum Command {
    Listen(TcpListener),
    /// Closes listener and connections; the sender is dropped when that is done.
    Quiet(mpsc::Sender<()>),
}

/// An RTSP server with any number of cameras. Stops when dropped.
pub struct Server {
    address: SocketAddr,
    cameras: Cameras,
    commands: Option<commands::UnboundedSender<Command>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts a server without cameras; port 0 takes any free one.
    pub fn start(listen: SocketAddr) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = bind(listen)?;
        let address = listener.local_addr()?;
        let cameras = Cameras::default();
        let (sender, receiver) = commands::unbounded_channel();
        let served = cameras.clone();
        let thread = thread::Builder::new()
            .name("simulator".into())
            .spawn(move || runtime.block_on(run(listener, served, receiver)))?;
        Ok(Server {
            address,
            cameras,
            commands: Some(sender),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `rtsp://` URL of a camera.
    pub fn url(&self, path: &str) -> String {
        format!("rtsp://{}{path}", self.address)
    }

    /// Adds a camera under a path such as `/kassa-1/main`. One that was there before is removed.
    pub fn add(&self, path: &str, camera: Camera) -> CameraHandle {
        let shared = Arc::new(Shared::new(camera));
        let path = path.trim_end_matches('/').to_owned();
        let before = self
            .cameras
            .with(|cameras| cameras.insert(path, shared.clone()));
        if let Some(before) = before {
            before.disconnect();
        }
        CameraHandle(shared)
    }

    /// Removes a camera and closes its connections. Does nothing for an unknown path.
    pub fn remove(&self, path: &str) {
        let removed = self
            .cameras
            .with(|cameras| cameras.remove(path.trim_end_matches('/')));
        if let Some(camera) = removed {
            camera.disconnect();
        }
    }

    /// Closes the listener and all connections, as when cameras lose power; returns when that is
    /// done. New connections are refused.
    pub fn stop_listening(&self) {
        let (done, wait) = mpsc::channel();
        self.command(Command::Quiet(done));
        // The answer is that the sender has gone.
        wait.recv().ok();
    }

    /// Listens again at the same address.
    pub fn resume_listening(&self) -> io::Result<()> {
        self.command(Command::Listen(bind(self.address)?));
        Ok(())
    }

    /// Closes everything and waits for the thread. Dropping does the same.
    pub fn stop(self) {}

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // Fails only when the thread has ended, and with it everything there was to command.
            commands.send(command).ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed there; a second one here would hide the test's own.
            thread.join().ok();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Accepts connections until the server is dropped.
async fn run(
    first: TcpListener,
    cameras: Cameras,
    mut commands: commands::UnboundedReceiver<Command>,
) {
    let mut listener = tokio::net::TcpListener::from_std(first).ok();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None => break,
                Some(Command::Listen(again)) => listener = tokio::net::TcpListener::from_std(again).ok(),
                Some(Command::Quiet(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    drop(done);
                }
            },
            Some(accepted) = accept(listener.as_ref()) => {
                connections.spawn(connection::serve(accepted, cameras.clone()));
            }
            // A connection that failed is the client's affair, or was meant to.
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

/// The next connection; never one without a listener. `None` disables the branch once, after a
/// connection that came to nothing.
async fn accept(listener: Option<&tokio::net::TcpListener>) -> Option<tokio::net::TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
