//! The listener on loopback and the thread it lives in.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::World;
use super::connection::{Connections, Line};
use super::routes;

/// A running server; dropping it ends its thread.
#[derive(Debug)]
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it on a free port.
    pub fn start(world: Arc<Mutex<World>>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let app = Router::new().fallback(answer).with_state(world);
            let app = app.into_make_service_with_connect_info::<Line>();
            runtime.block_on(async {
                tokio::select! {
                    _ = async { axum::serve(Connections(listener), app).await } => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop: Some(stop), thread: Some(thread), address }
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

async fn answer(
    ConnectInfo(line): ConnectInfo<Line>,
    State(world): State<Arc<Mutex<World>>>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 << 20).await.unwrap_or_default();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let method = head.method.to_string();
    let request = super::Request { method, target, headers: headers.collect(), body: body.to_vec() };
    let reply = routes::handle(&world, request);
    if reply.breaks {
        line.cut();
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).expect("headers are plain")
}
