//! The two listeners on loopback and the thread they live in.
//!
//! One answers as the API; the other one, a different origin, gives out what signed links lead to.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use http_body::Frame;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::connection::{Connections, Line};
use super::exchange::{self, Ending, Reply, Shared};

/// A running server; dropping it ends its thread.
#[derive(Debug)]
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where signed links lead.
    pub storage: SocketAddr,
}

impl Server {
    /// Starts both listeners on free ports.
    pub fn start(shared: impl FnOnce(SocketAddr, SocketAddr) -> Arc<Shared>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let bind = || runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let (api, storage) = (bind(), bind());
        let addresses = [&api, &storage].map(|listener| listener.local_addr().expect("a bound port"));
        let shared = shared(addresses[0], addresses[1]);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(api, Arc::clone(&shared), Side::Api) => {}
                    _ = serve(storage, shared, Side::Storage) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop: Some(stop), thread: Some(thread), api: addresses[0], storage: addresses[1] }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Which of the two listeners a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The API.
    Api,
    /// The place of signed links.
    Storage,
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, side: Side) {
    let app = Router::new().fallback(answer).with_state((shared, side));
    let _ = axum::serve(Connections(listener), app.into_make_service_with_connect_info::<Line>()).await;
}

async fn answer(
    ConnectInfo(line): ConnectInfo<Line>,
    State((shared, side)): State<(Arc<Shared>, Side)>,
    request: Request,
) -> Response<HttpBody> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let asked = exchange::Asked {
        side,
        method: head.method.as_str(),
        path: head.uri.path(),
        query,
        headers: headers(&head.headers),
        body: &body,
    };
    let reply = exchange::handle(&shared, asked).await;
    respond(reply, &line)
}

fn headers(map: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    map.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn respond(reply: Reply, line: &Line) -> Response<HttpBody> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = match reply.ending {
        Ending::Whole => HttpBody::from(reply.body),
        Ending::Reset => {
            line.cut();
            HttpBody::empty()
        }
        Ending::Half => {
            response = response.header("content-length", reply.body.len().max(2));
            let mut whole = Bytes::from(reply.body);
            let half = whole.split_to(whole.len() / 2);
            HttpBody::new(Broken { half: Some(half), has_rested: false })
        }
    };
    response.body(body).expect("headers are plain")
}

/// A body that ends with an error before it is complete.
struct Broken {
    half: Option<Bytes>,
    has_rested: bool,
}

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // A pause lets the server send what it has.
        if !self.has_rested {
            self.has_rested = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())))
    }
}
