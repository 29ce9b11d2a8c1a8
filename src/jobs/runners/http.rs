//! Makes a request to an address.

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Calls, body, payload, verdict};
use crate::{
    jobs::{Fault, Job, JobKind, Runner},
    model::Timestamp,
};

/// What may be asked.
const METHODS: [Method; 5] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// `{method, url, body?}`
#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    body: Option<Value>,
}

/// Makes requests.
pub struct HttpRunner {
    pub(super) calls: Calls,
}

impl HttpRunner {
    async fn send(&self, job: &Job) -> Result<String, Fault> {
        let Request { method, url, body: content } = payload(job)?;
        let method = find_method(&method)
            .ok_or_else(|| Fault::never("the method is GET, POST, PUT, PATCH or DELETE"))?;
        let client = self.calls.client(&url).await?;
        let harmless = is_harmless(&method);
        let mut request = client
            .request(method, &url)
            .timeout(self.calls.timeout())
            .header("idempotency-key", &job.job_id);
        if let Some(content) = content.filter(|it| !it.is_null()) {
            let (bytes, kind) = body(&content);
            request = request.header("content-type", kind).body(bytes);
        }
        verdict(request.send().await, harmless)
    }
}

fn find_method(name: &str) -> Option<Method> {
    METHODS.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(name))
}

/// Whether twice is as good as once.
fn is_harmless(method: &Method) -> bool {
    method.is_idempotent()
}

impl Runner for HttpRunner {
    fn kind(&self) -> JobKind {
        JobKind::Http
    }

    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<String, Fault>> {
        Box::pin(self.send(job))
    }

    fn may_repeat(&self, job: &Job, _: Timestamp) -> bool {
        let method = job.payload["method"].as_str().and_then(find_method);
        method.is_some_and(|it| is_harmless(&it))
    }
}
